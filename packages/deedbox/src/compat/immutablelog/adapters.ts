import { type ExpressMiddleware, type ObservedFastify, observeExpress } from '../../frameworks/index.ts'
import { ImmutableLogAudit } from './immutable-log-audit.ts'
import { originalBox } from './original-box.ts'
import { readService, type ServiceOptions } from './original-options.ts'

/**
 * Express: `app.use(immutableLogMiddleware({ apiKey, apiUrl, serviceName }))`, before everything else. (IP-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function immutableLogMiddleware(options: ServiceOptions = {}): ExpressMiddleware {
  return observeExpress(originalBox(readService(options, 'immutableLogMiddleware()'), 'express-service').box)
}

/** What `app.register()` takes, with the options of its second argument. */
export type ImmutableLogPlugin = (
  app: ObservedFastify,
  options: ServiceOptions,
  done: (error?: Error) => void,
) => void

/**
 * Fastify: `await app.register(immutableLogPlugin, { apiKey, apiUrl, serviceName })`, before the routes. Registered
 * again with the same application it does nothing. Afterwards `app.immutablelog` is the {@link ImmutableLogAudit}.
 * (IP-01, IF-04)
 */
export const immutableLogPlugin: ImmutableLogPlugin = Object.assign(
  function immutableLog(app: ObservedFastify, options: ServiceOptions, done: (error?: Error) => void): void {
    try {
      if (!('immutablelog' in app)) new ImmutableLogAudit({ ...options, app })
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
    }
  },
  // Otherwise hooks and decorator would end with the plugin.
  { [Symbol.for('skip-override')]: true },
)
