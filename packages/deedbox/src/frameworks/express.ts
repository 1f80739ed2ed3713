import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { runInScope } from '../request/index.ts'
import { followRequest, prepareFollowing } from './express-routing.ts'

/** The form of an Express middleware, without its types. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Observes the requests of an Express 5 application: `app.use(observe(box))`, before everything else. The real
 * error and the route's template come from the router itself, whether or not the application has error handlers
 * of its own. The instance is then found at `app.locals.deedbox`. (Ruling 4)
 */
export function observe(box: Deedbox): ExpressMiddleware {
  const { lifecycle } = internalsOf(box)
  const middleware: ExpressMiddleware = function deedbox(request, response, next) {
    const scope = lifecycle.begin(request, response)
    followRequest(request, response, scope, middleware)
    shareInstance(request, box)
    runInScope(scope, next)
  }
  prepareFollowing(middleware)
  return middleware
}

function shareInstance(request: IncomingMessage, box: Deedbox): void {
  const app: unknown = Reflect.get(request, 'app')
  const locals: unknown = typeof app === 'function' ? Reflect.get(app, 'locals') : undefined
  if (typeof locals === 'object' && locals !== null && !('deedbox' in locals))
    Reflect.set(locals, 'deedbox', box)
}
