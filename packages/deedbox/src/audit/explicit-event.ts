import { type EventDetails, isoMicroseconds, uuid7, wallMicroseconds } from '../request/index.ts'
import { createSerializer, type Redactor } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import { clampPayload, type Shed } from './clamp.ts'
import { blankedChanges } from './event-details.ts'
import type { EventKind, EventMeta } from './ledger-client.ts'
import { SendError } from './send-error.ts'

/** The ledger's limits in bytes of UTF-8. */
const payloadBytes = 65_536
const metaBytes = 16_384

/** What Node's timers hold. Milliseconds. */
const longestTimeout = 2_147_483_647

/** The four kinds. (IP-17) */
export const eventKinds: ReadonlySet<unknown> = new Set<EventKind>(['success', 'info', 'warning', 'error'])

/** What an explicit event may say beside its name and payload. (IP-03) */
export interface SendOptions {
  /** Default `info`. */
  readonly kind?: EventKind
  /** Default: the instance's. */
  readonly service?: string
  /** Default: the instance's. */
  readonly env?: string
  /** Default: the current request's, else a new one (IP-15); under an `idempotencyKey` of the caller's, that key. */
  readonly requestId?: string
  /**
   * 1 to 255 visible ASCII characters. Default: a new UUID version 7. Sending the same event again under the
   * same key stores it once, also from another request: nothing of the current request goes into it then.
   */
  readonly idempotencyKey?: string
  /** Further meta members: `actor`, `targets`, `changes`, `reason` and the service's own. */
  readonly meta?: EventDetails
  /**
   * Whether an object too large may be cut to 12,000 bytes, its largest members first, with `truncated` naming
   * them. Default `false`: too large is an error. (Ruling 20)
   */
  readonly clamp?: boolean
  /**
   * Whether the receipt is fetched and checked as well; it stands in the acknowledgement then. Needs a key with the scope
   * `verify`. Default `false`. (Ruling 21)
   */
  readonly receipt?: boolean
  /** Milliseconds to wait for the acknowledgement, retries included. Default 15,000. */
  readonly timeout?: number
}

/**
 * An event to send. An object gets a `timestamp` if it has no valid one (IP-04), except under an `idempotencyKey` of the
 * caller's, where a repeat has to be equal; a text is sent as it is.
 */
export type SendPayload = Readonly<Record<string, unknown>> | string

/** What the instance adds to an explicit event. */
export interface ExplicitEventSettings {
  readonly service: string
  readonly env: string
  readonly redactor: Redactor
  /** The current request's id, else a new one. */
  readonly requestId: () => string
}

/**
 * Builds the event of an explicit send, secrets blanked.
 * @throws SendError `invalid_event` or `payload_too_large`
 */
export function explicitEvent(
  name: string,
  payload: SendPayload,
  options: SendOptions,
  settings: ExplicitEventSettings,
): AuditEvent {
  const kind = options.kind ?? 'info'
  if (typeof name !== 'string' || name.trim() === '')
    throw invalid('the event name must be a text that is not empty')
  if (!eventKinds.has(kind)) throw invalid('kind must be success, info, warning or error')
  const key = options.idempotencyKey ?? uuid7()
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key))
    throw invalid('idempotencyKey must be 1 to 255 visible ASCII characters')
  // Under a key of the caller's, a repeat has to be the same to the byte: nothing is added that differs each time.
  const requestId = options.requestId ?? options.idempotencyKey ?? settings.requestId()
  if (typeof requestId !== 'string' || requestId === '')
    throw invalid('requestId must be a text that is not empty')
  const { timeout = 1 } = options
  if (!(timeout > 0 && timeout <= longestTimeout))
    throw invalid(`timeout must be a number of milliseconds up to ${longestTimeout}`)
  const meta = withinLimit(
    {
      ...options.meta,
      ...(options.meta?.changes === undefined
        ? {}
        : { changes: blankedChanges(options.meta.changes, settings.redactor) }),
      type: kind,
      event_name: name,
      service: options.service ?? settings.service,
      request_id: requestId,
      env: options.env ?? settings.env,
    },
    metaBytes,
    'meta',
    settings.redactor,
  )
  return {
    payload: payloadText(payload, options, settings.redactor),
    meta: JSON.parse(meta) as EventMeta,
    idempotencyKey: key,
    requestId,
  }
}

function payloadText(payload: SendPayload, options: SendOptions, redactor: Redactor): string {
  if (typeof payload === 'string') {
    const text = redactor.text(payload.toWellFormed())
    const bytes = Buffer.byteLength(text)
    if (bytes > payloadBytes) throw tooLarge('payload', payloadBytes, bytes)
    return text
  }
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw invalid('the payload must be an object, or a text that is sent as it is')
  }
  const { timestamp } = payload
  const valid = typeof timestamp === 'string' && !Number.isNaN(Date.parse(timestamp))
  const needsNoStamp = valid || options.idempotencyKey !== undefined
  const stamped = needsNoStamp
    ? payload
    : { ...payload, timestamp: `${isoMicroseconds(wallMicroseconds())}Z` }
  if (options.clamp !== true) return withinLimit(stamped, payloadBytes, 'payload', redactor)
  const whole = createSerializer(redactor, unlimited(Number.POSITIVE_INFINITY)).serialize(stamped).json
  return clampPayload(whole, largestFirst)
}

/** The JSON of an object, or the error that says by how much it is too large. */
function withinLimit(value: object, limit: number, what: string, redactor: Redactor): string {
  const { json, cut } = createSerializer(redactor, unlimited(limit)).serialize(value)
  const bytes = Buffer.byteLength(json)
  if (bytes > limit) throw tooLarge(what, limit, bytes)
  if (cut) throw tooLarge(what, limit, undefined)
  return json
}

/** Nothing is cut silently: what reaches these limits is refused. */
function unlimited(totalLength: number): Parameters<typeof createSerializer>[1] {
  return {
    depth: 100,
    entries: Number.POSITIVE_INFINITY,
    textLength: Number.POSITIVE_INFINITY,
    totalLength,
  }
}

function largestFirst(payload: Readonly<Record<string, unknown>>): Shed[] {
  const needed = new Set(['id', 'kind', 'message', 'timestamp'])
  return Object.keys(payload)
    .filter(member => !needed.has(member))
    .map(member => ({ path: [member], size: JSON.stringify(payload[member])?.length ?? 0 }))
    .sort((a, b) => b.size - a.size)
}

function invalid(problem: string): SendError {
  return new SendError('invalid_event', `The event cannot be sent: ${problem}`)
}

function tooLarge(what: string, limit: number, bytes: number | undefined): SendError {
  const size = bytes === undefined ? 'it is larger, or nested deeper than 100 levels' : `it has ${bytes}`
  return new SendError(
    'payload_too_large',
    `The ${what} may have ${limit} bytes; ${size}. Send less, or pass clamp: true to have a payload object cut.`,
  )
}
