import type { ClientAddress } from './client-address.ts'
import type { EventDetails } from './event-details.ts'
import type { TraceContext } from './trace-context.ts'

/**
 * How an exchange ended: its response was ended by the service (`completed`), the client left before
 * (`aborted`), or an error of the service cut it off (`errored`).
 */
export type Outcome = 'completed' | 'aborted' | 'errored'

/** What was thrown. A wrapper, because `undefined` can be thrown too. */
export interface Failure {
  readonly thrown: unknown
}

/** What is known about a request body that was announced. (IF-12, ruling 17) */
export interface BodyFacts {
  /**
   * `read`: all of it passed to the service; `unread`: nobody read it; `incomplete`: reading stopped, or the
   * client stopped sending, before its end.
   */
  readonly state: 'read' | 'unread' | 'incomplete'
  /** Bytes that arrived. */
  readonly length: number
  /** Hex SHA-256 of the bytes, for a body that was read whole and is not empty, unless hashing is off. */
  readonly hash: string | null
  /** The bytes, when keeping them was asked for and there are fewer than 2,000. */
  readonly bytes: Buffer | null
  readonly contentType: string
}

/**
 * One request, measured once, by one clock; every sink renders this and measures nothing itself. All texts are as
 * the client sent them: sinks redact. Immutable.
 */
export interface RequestRecord {
  /** Version of this shape. (Ruling 16) */
  readonly schema: 1
  readonly requestId: string
  /** The valid `X-Request-Id` that the client sent, also when it is not the request's id. */
  readonly inboundRequestId: string | null
  readonly trace: TraceContext | null
  /** Microseconds since 1970-01-01 UTC. */
  readonly startedAt: number
  readonly method: string
  /** The concrete path, without the query. */
  readonly path: string
  /** What stood after the question mark; empty when there was nothing. */
  readonly query: string
  /** The matched route's template, for example `/orders/:id`, if the framework told it. */
  readonly route: string | null
  /** What `event()` named, else `http.{METHOD}.{route or path}`. (IF-16) */
  readonly eventName: string
  /** What `event()` said beside the name. */
  readonly eventDetails: EventDetails | null
  readonly scheme: 'http' | 'https'
  /** `1.0`, `1.1`, `2`, … (FA-17) */
  readonly protocol: string
  readonly client: ClientAddress
  readonly userAgent: string | null
  readonly referer: string | null
  /** The `Accept-Language` header. (DF-34) */
  readonly language: string | null
  /** Who made the request, if the service told. (DF-36) */
  readonly user: string | null
  /** `null` when the request announced no body. */
  readonly body: BodyFacts | null
  readonly outcome: Outcome
  /** The status of the outcome: what was answered, 499 if aborted, 500 if errored. (FA-23, ruling 18) */
  readonly status: number
  /** The status that went to the client, `null` if none did. */
  readonly statusSent: number | null
  /** Bytes of the response body handed to the connection. (FA-19) */
  readonly responseLength: number
  /** Seconds from arrival to the end. (FA-20) */
  readonly elapsed: number
  /** Seconds from arrival to the response headers, `null` if there were none. */
  readonly ttfb: number | null
  /** The real error, if one was reported. */
  readonly error: Failure | null
  /** This is the second record of its request: an error that came after the response had ended. */
  readonly late: boolean
  /** The service's own answer was withheld, because the ledger did not take the event of it, and 503 was sent. */
  readonly withheld: boolean
  /** The path is on the skip list; only an error makes a record of such a request. (IF-08) */
  readonly skipped: boolean
  /** What `set()` collected. */
  readonly values: Readonly<Record<string, unknown>>
}

/** One run of `box.run()`. (Ruling 5) */
export interface JobRecord {
  /** Version of this shape. */
  readonly schema: 1
  readonly job: string
  readonly requestId: string
  /** Microseconds since 1970-01-01 UTC. */
  readonly startedAt: number
  /** Seconds. */
  readonly elapsed: number
  readonly error: Failure | null
  /** What `event()` named; `null` sends no audit event. */
  readonly eventName: string | null
  /** What `event()` said beside the name. */
  readonly eventDetails: EventDetails | null
  readonly values: Readonly<Record<string, unknown>>
}
