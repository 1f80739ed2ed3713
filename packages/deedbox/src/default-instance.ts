import { type Audited, createAudited } from './audit/index.ts'
import type { CheckRegistry } from './checks/index.ts'
import { createErrorTexts } from './error-texts.ts'
import type { Deedbox } from './instance.ts'
import { internalsOf } from './internals.ts'
import {
  createInstanceLog,
  createLogger,
  flatLine,
  type InstanceLog,
  LevelScale,
  type Logger,
  type LogWriter,
  Notices,
  sinkChoice,
  Thresholds,
} from './log/index.ts'
import { readLogSettings } from './log-settings.ts'
import { registerEndOfProcess } from './process-end.ts'
import { currentScope, type EventDetails, type RequestScope } from './request/index.ts'
import { ConfigurationError, createRedactor, errorMessage } from './safety/index.ts'
import { readEnv, readService } from './settings.ts'
import { createTracked, type Tracked } from './tracking/index.ts'

/** Copies of this package share the default instance. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.default.1') as never

interface Shared {
  [key]?: { readonly byIdentity: Map<object, Deedbox> }
}

const shared = globalThis as Shared
shared[key] ??= { byIdentity: new Map() }
/** Open instances by the identity that their scopes carry, in the order in which they were made. */
const instances: Map<object, Deedbox> = shared[key].byIdentity

/** Makes an instance the default one, unless an older one is still open. */
export function becomeDefault(box: Deedbox): void {
  instances.set(internalsOf(box).identity, box)
}

/** Takes a closed instance out of the succession. */
export function leaveDefault(box: Deedbox): void {
  instances.delete(internalsOf(box).identity)
}

/** The instance of the current request, else the oldest open one. */
export function activeInstance(): Deedbox | undefined {
  const scope = currentScope()
  const [oldest] = instances.values()
  return (scope === undefined ? undefined : instances.get(scope.box)) ?? oldest
}

let fallback: LogWriter | undefined

/** Where lines go. Those before any instance is made are plain lines on stderr. */
export function activeWriter(): LogWriter {
  const box = activeInstance()
  if (box !== undefined) return internalsOf(box).writer
  fallback ??= fallbackWriter()
  return fallback
}

/** Its lines are written out at the end of the process, as those of an instance are. */
function fallbackWriter(): LogWriter {
  const instanceLog = fallbackLog()
  const flush = (): void => instanceLog.flush()
  registerEndOfProcess({
    onSignal: true,
    flush: async () => flush(),
    flushLines: flush,
    flushSync: flush,
  })
  return instanceLog.writer
}

/** Variables are heeded already; what is wrong with them is said in a line, since there is nobody to throw at. */
function fallbackLog(): InstanceLog {
  const redactor = createRedactor()
  const scope = (): undefined => undefined
  try {
    const env = readEnv(process.env)
    const { scale, thresholds, sinks, source, format, errors } = readLogSettings({}, process.env, env)
    const nobody = (): void => undefined
    const service = readService(process.env)
    const facts = { service, env, environment: process.env, onFailure: nobody, onWarning: nobody }
    return createInstanceLog({
      scale,
      thresholds,
      sinks: sinks.map(setup => ({ to: setup.to, choice: sinkChoice(setup, format, facts) })),
      source,
      redactor,
      scope,
      trace: createErrorTexts({ form: errors, env, redactor, redaction: {}, notify: nobody }).trace,
    })
  } catch (error) {
    const scale = new LevelScale()
    const instanceLog = createInstanceLog({
      scale,
      thresholds: new Thresholds(scale.numberOf('INFO') ?? 0),
      sinks: [{ to: 'stderr', choice: { format: flatLine, isSummary: false } }],
      source: 'always',
      redactor,
      scope,
    })
    instanceLog.notices.warn('log_settings', errorMessage(error))
    return instanceLog
  }
}

/** The log of the current request's instance, else of the default instance: the first `deedbox()` of the process. */
export const log: Logger = createLogger(activeWriter)

/** {@link Deedbox.set} of the current request's instance, else of the default instance. */
export function set(values: Readonly<Record<string, unknown>>): void {
  needInstance('set')?.set(values)
}

/** {@link Deedbox.get} of the current request's instance, else of the default instance. */
export function get(name: string): unknown {
  return activeInstance()?.get(name)
}

/** {@link Deedbox.event} of the current request's instance, else of the default instance. */
export function event(name: string, details?: EventDetails): void {
  needInstance('event')?.event(name, details)
}

/**
 * {@link Deedbox.audited} of the current request's instance, else of the default instance, asked at each call: a module
 * may wrap its functions before any instance is made. A call without an open instance makes no event, which is said.
 */
export const audited: Audited = createAudited(() => {
  const box = activeInstance()
  if (box !== undefined) return internalsOf(box).auditor
  unowned ??= new Notices(activeWriter())
  unowned.warn(
    'no_instance',
    'An audited function made no event, because no instance is open; call deedbox() first',
  )
  return undefined
})

let unowned: Notices | undefined

/**
 * Has the variables of the requests that pass written to chests, by a rule of its own instead of the instance's: which
 * names, where to, whether the response waits. As it is, it is a middleware of Express, Koa, Hono and Nest, and a hook of
 * Fastify: `app.get('/', tracked(['user_id']), handler)`. With a handler it gives a function of the same type:
 * `tracked(['user_id'], handler)`. It acts on the innermost request or job, of whichever instance; outside it only says so.
 * @throws ConfigurationError for options that are none
 */
export const tracked: Tracked = createTracked(trackedScope)

/** The scope that the calling code is in; that there is none is said. */
export function trackedScope(): RequestScope | undefined {
  const scope = currentScope()
  if (scope !== undefined) return scope
  const box = activeInstance()
  unowned ??= new Notices(activeWriter())
  const notices = box === undefined ? unowned : internalsOf(box).notices
  notices.warn(
    'no_request',
    'tracked() was called outside a request and did nothing; run() gives jobs a scope',
  )
  return undefined
}

/**
 * {@link Deedbox.checks} of the current request's instance, else of the default instance: the registry for who has one
 * service in a process. Before any instance is made it has no checks, and takes none: one that was lost would make a
 * service look well. (DF-18, X-17)
 */
export const checks: CheckRegistry = {
  register: ((...given: Parameters<CheckRegistry['register']>) => {
    const box = activeInstance()
    if (box === undefined) {
      throw new ConfigurationError(
        'checks.register()',
        'no instance was made yet. Call deedbox() before the module that registers is imported, or give checks to health().',
      )
    }
    return box.checks.register(...given)
  }) as CheckRegistry['register'],
  get names() {
    return activeInstance()?.checks.names ?? []
  },
  get checks() {
    return activeInstance()?.checks.checks ?? []
  },
}

/** The innermost request or job that the calling code belongs to. */
export function current(): RequestScope | undefined {
  return currentScope()
}

function needInstance(call: string): Deedbox | undefined {
  const box = activeInstance()
  if (box === undefined)
    log.warning(`${call}() did nothing, because no instance was made yet; call deedbox() first`)
  return box
}
