import {
  type AnyFunction,
  type Audited,
  type AuditedDecorator,
  type AuditedOptions,
  type CallAuditor,
  createAudited,
  type EventKind,
  moduleOf,
} from '../../audit/index.ts'
import { current, log } from '../../default-instance.ts'
import type { Deedbox } from '../../instance.ts'
import { internalsOf } from '../../internals.ts'
import { callingFile } from '../../log/index.ts'
import { errorMessage } from '../../safety/index.ts'
import { fromEnvironment } from './from-environment.ts'
import { readOptions, type Spellings } from './original-options.ts'

/** What a function's event says. (IP-10) */
export interface FunctionOptions {
  /** Default `fn.<module>.<name>`; a function without a name needs one. */
  readonly eventName?: string | undefined
  readonly event_name?: string | undefined
  /** Of a call that does not throw. Default `info`. */
  readonly kind?: EventKind | undefined
  /** Default: that of the whole service. */
  readonly service?: string | undefined
  /** Default: a method's class, else the file that wraps the function, without its ending. */
  readonly module?: string | undefined
}

/** Wraps a function, sync or async, or decorates a method. */
export interface FunctionDecorator extends AuditedDecorator {
  <Audits extends AnyFunction>(work: Audits): Audits
}

/** Makes one event of each call of a function, and changes nothing else about it. (IP-10 … IP-14) */
export interface AuditLog {
  /** @throws ConfigurationError, or TypeError for what is no function or has no name */
  <Audits extends AnyFunction>(work: Audits, options?: FunctionOptions): Audits
  /** @throws ConfigurationError */
  (options?: FunctionOptions): FunctionDecorator
}

const spellings: Spellings<'eventName' | 'kind' | 'service' | 'module'> = {
  eventName: ['string', 'eventName', 'event_name'],
  kind: ['kind', 'kind'],
  service: ['string', 'service'],
  module: ['string', 'module'],
}

/**
 * The original's decorator for functions: `auditLog({ eventName: 'payment.process', kind: 'success' })(fn)`, or
 * `auditLog(fn, { … })`, or above a method. Events go where `IMTBL_API_KEY` and `IMTBL_URL` say. (IP-10, IP-11)
 */
export const auditLog: AuditLog = createAuditLog('auditLog()')

/** The original's decorator for async functions; here both are the same, and so are their events. (IP-12) */
export const auditLogAsync: AuditLog = createAuditLog('auditLogAsync()')

/** The `audited` of an instance whose events bear the id of the current request, whichever instance watches it. (IP-15) */
export function auditedBy(box: Deedbox): Audited {
  const auditor = callAuditorOf(box)
  return createAudited(() => auditor)
}

/**
 * What wraps functions and decorates methods with given options.
 * @param entry the function that the service called
 * @throws ConfigurationError
 */
export function functionDecorator(
  audited: Audited,
  given: unknown,
  entry: (...values: never[]) => unknown,
  taker: string,
): FunctionDecorator {
  const how = readOptions(given, spellings, taker) as AuditedOptions
  const file = moduleOf(callingFile(entry))
  const decorate = (first: unknown, key?: unknown, descriptor?: unknown): unknown => {
    if (key === undefined) return audited(first as AnyFunction, { ...how, module: how.module ?? file })
    return Reflect.apply(audited(how), undefined, [first, key, descriptor])
  }
  return decorate as FunctionDecorator
}

function createAuditLog(taker: string): AuditLog {
  const audited = createAudited(environmentAuditor)
  const entry = (first: unknown = {}, options: unknown = {}): unknown => {
    if (typeof first !== 'function') return functionDecorator(audited, first, entry, taker)
    return functionDecorator(audited, options, entry, taker)(first as AnyFunction)
  }
  return entry as AuditLog
}

let said = false

/** Asked at each call of a function, which must not fail for a variable that is wrong. (IP-14) */
function environmentAuditor(): CallAuditor | undefined {
  try {
    return callAuditorOf(fromEnvironment().box)
  } catch (error) {
    if (!said) log.error(`Calls of audited functions make no events. ${errorMessage(error)}`)
    said = true
    return undefined
  }
}

function callAuditorOf(box: Deedbox): CallAuditor {
  const { auditor } = internalsOf(box)
  return { ...auditor, requestId: () => current()?.requestId ?? auditor.requestId() }
}
