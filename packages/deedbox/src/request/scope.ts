import { randomBytes } from 'node:crypto'
import { quote } from '../safety/index.ts'
import { type AuditMode, auditModes } from './audit-gate.ts'
import type { EventDetails } from './event-details.ts'
import { type ScopeRule, ScopeRules } from './scope-rules.ts'

/** The request or job that a scope is of. */
export interface ScopeOwner {
  /** Takes the errors of the scope's work; see {@link RequestScope.fail}. */
  report(thrown: unknown): void
  /** Chooses what the response waits for, where there is a response; see {@link RequestScope.audit}. */
  audit?(mode: AuditMode): void
  /** See {@link RequestScope.skip}. */
  skip?(): void
  /** Whether there is a response that can wait for what rules write. */
  readonly hasResponse?: boolean
  /** Writes by a rule at once; see {@link RequestScope.settle}. */
  settle?(rule: ScopeRule, status: number | undefined): Promise<void>
  /** What the caller said about its trace. */
  readonly traceHeaders?: TraceHeaders
}

/** The headers of W3C Trace Context, as they came. */
export interface TraceHeaders {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

const noTrace: TraceHeaders = Object.freeze({})

/** The scope in which an error was reported last: a process that dies of it has left the scope by then. */
const failing = new WeakMap<object, RequestScope>()

/** The scope that an error was reported to. */
export function scopeOfError(thrown: unknown): RequestScope | undefined {
  return typeof thrown === 'object' && thrown !== null ? failing.get(thrown) : undefined
}

/** The running request or job: what code inside it can read and leave behind. */
export class RequestScope {
  /** The instance this scope belongs to. */
  readonly box: object
  /** The next scope outwards, if any. */
  readonly outer: RequestScope | undefined
  readonly requestId: string
  /** The event name that {@link event} set. */
  eventName: string | undefined
  /** What {@link event} said about it, all calls together. */
  eventDetails: EventDetails | undefined
  /** The route template that {@link matched} set. */
  route: string | undefined
  /** What {@link set} collected. */
  values: Record<string, unknown> | undefined
  /** What {@link track} collected. */
  rules: ScopeRules | undefined
  #user: (() => unknown) | undefined
  readonly #owner: ScopeOwner
  #idMember: string | undefined
  #spanId: string | undefined

  constructor(box: object, outer: RequestScope | undefined, requestId: string, owner: ScopeOwner) {
    this.box = box
    this.outer = outer
    this.requestId = requestId
    this.#idMember = undefined
    this.eventName = undefined
    this.eventDetails = undefined
    this.route = undefined
    this.values = undefined
    this.rules = undefined
    this.#user = undefined
    this.#spanId = undefined
    this.#owner = owner
  }

  /** The id as a member of a log line, made once for all lines of the request. */
  get idMember(): string {
    this.#idMember ??= `,"request_id":${quote(this.requestId)}`
    return this.#idMember
  }

  /** What the caller said about its trace. */
  get traceHeaders(): TraceHeaders {
    return this.#owner.traceHeaders ?? noTrace
  }

  /** The span under which the trace was passed on, if it was. */
  get spanId(): string | null {
    return this.#spanId ?? null
  }

  /** The span of this request, made when it is first needed: 16 hex digits. */
  takeSpanId(): string {
    this.#spanId ??= randomBytes(8).toString('hex')
    return this.#spanId
  }

  /** Keeps values with the request, by name; a later value replaces an earlier one. */
  set(values: Readonly<Record<string, unknown>>): void {
    this.values ??= {}
    Object.assign(this.values, values)
  }

  /** Reads back a value that {@link set} kept. */
  get(name: string): unknown {
    return this.values !== undefined && Object.hasOwn(this.values, name) ? this.values[name] : undefined
  }

  /**
   * Names the audit event of this request, and says more about it: who, to what, why. Details of several calls add up; a
   * later member replaces an earlier one. (IF-16)
   */
  event(name: string, details?: EventDetails): void {
    this.eventName = name
    if (details !== undefined) this.eventDetails = { ...this.eventDetails, ...details }
  }

  /**
   * Has this request go by an audit mode of its own, whatever the mode of its route. It counts if it comes before the
   * response begins; later it only warns. A job has no response, so nothing waits there.
   * @throws TypeError for a mode that does not exist
   */
  audit(mode: AuditMode): void {
    if (!auditModes.includes(mode))
      throw new TypeError(`audit() takes one of ${auditModes.join(', ')}; this is ${String(mode)}`)
    this.#owner.audit?.(mode)
  }

  /**
   * Has this request leave no audit event, and a line only if it fails, as if its path were on the skip list. It counts if
   * it comes before the response begins. A job has no list, and goes on as it is.
   */
  skip(): void {
    this.#owner.skip?.()
  }

  /** Has the values of this request tracked by a rule of its route. The same rule counts once. */
  track(rule: ScopeRule): void {
    this.rules ??= new ScopeRules()
    this.rules.add(rule)
  }

  /** Whether there is a response, which can wait for what rules write. */
  get hasResponse(): boolean {
    return this.#owner.hasResponse === true
  }

  /**
   * Writes by an awaiting rule whose handler is done, before there is an answer.
   * @param status what will be answered, where the response does not know it yet
   * @throws what a chest failed with, where the rule has the request fail for it
   */
  async settle(rule: ScopeRule, status?: number): Promise<void> {
    await this.#owner.settle?.(rule, status)
  }

  /** Tells the route template, for a framework without an adapter of its own. */
  matched(template: string): void {
    this.route = template
  }

  /**
   * Tells who makes the request: an id, or how to ask for it when the request is over. It stands on the request's
   * line as `user`, and in its audit event as the actor. (DF-36)
   */
  identify(user: string | (() => unknown)): void {
    this.#user = typeof user === 'string' ? () => user : user
  }

  /** Who makes the request, as far as {@link identify} told; `null` when nobody knows or the answer is no id. */
  get user(): string | null {
    try {
      const user: unknown = this.#user?.()
      // Nobody waits for it, so nobody else would handle its rejection, which ends processes.
      if (user instanceof Promise) user.catch(() => undefined)
      if (typeof user === 'number' || typeof user === 'bigint') return String(user)
      return typeof user === 'string' && user !== '' ? user : null
    } catch {
      return null
    }
  }

  /** The request is over: how to ask for its user, which holds the request, is no longer needed. */
  release(): void {
    this.#user = undefined
  }

  /**
   * Reports the error behind this request's failure, for code that catches it and answers itself. The last one
   * reported before the response ends is the request's; one reported later makes a second record.
   */
  fail(thrown: unknown): void {
    if (typeof thrown === 'object' && thrown !== null) failing.set(thrown, this)
    this.#owner.report(thrown)
  }
}
