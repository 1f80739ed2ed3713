import { type EventKind, LedgerUnavailable, SendError, type SendPayload } from '../../audit/index.ts'
import { internalsOf } from '../../internals.ts'
import { ConfigurationError, errorMessage } from '../../safety/index.ts'
import type { EventSender, LedgerAnswer } from './event-sender.ts'
import { fromEnvironment } from './from-environment.ts'
import { type EventOptions, readOptions, type Spellings } from './original-options.ts'

/** One event to send, in the spelling of either original. (IP-03) */
export type OriginalEvent = EventOptions & { readonly payload: SendPayload } & (
    | { readonly eventName: string }
    | { readonly event_name: string }
  )

/** How {@link sendEventWithRetry} sends. (IP-07) */
export interface SendWithRetryOptions extends EventOptions {
  /** Attempts in total. Default 3. */
  readonly maxRetries?: number | undefined
  readonly max_retries?: number | undefined
  /** Seconds: the wait before attempt n + 1 is at most this times 2 to the power of n − 1. Default 0.5. */
  readonly baseDelay?: number | undefined
  readonly base_delay?: number | undefined
}

/** How {@link sendEventsBatch} sends. (IP-09) */
export interface SendBatchOptions {
  /** Posts under way at once. Default 5. */
  readonly maxWorkers?: number | undefined
  readonly max_workers?: number | undefined
}

/** What became of one event of {@link sendEventsBatch}. `event` is its name. (IP-09) */
export type BatchResult =
  | {
      readonly ok: true
      readonly event: string
      /** `null` where no key is set and the event became a log line. */
      readonly txId: string | null
      /** The same, in the ledger's spelling. */
      readonly tx_id: string | null
      /** Which members of the payload were cut or left out, where it had more than 12,000 bytes. */
      readonly truncated?: readonly string[]
    }
  | {
      readonly ok: false
      readonly event: string
      readonly txId: null
      readonly tx_id: null
      readonly error: SendError | LedgerUnavailable | ConfigurationError
    }

const eventSpellings: Spellings<'eventName' | 'payload' | 'kind' | 'service' | 'env'> = {
  eventName: ['any', 'eventName', 'event_name'],
  payload: ['any', 'payload'],
  kind: ['any', 'kind'],
  service: ['string', 'service'],
  env: ['string', 'env'],
}

const retrySpellings: Spellings<'kind' | 'service' | 'env' | 'maxRetries' | 'baseDelay'> = {
  kind: ['any', 'kind'],
  service: ['string', 'service'],
  env: ['string', 'env'],
  maxRetries: ['number', 'maxRetries', 'max_retries'],
  baseDelay: ['number', 'baseDelay', 'base_delay'],
}

const batchSpellings: Spellings<'maxWorkers'> = { maxWorkers: ['number', 'maxWorkers', 'max_workers'] }

/**
 * Sends one event in one post and resolves to the ledger's whole answer; 5 seconds, no second attempt. A payload gets
 * a `timestamp` if it has no valid one, and is cut to 12,000 bytes, which `truncated` tells, in it and in the answer. (IP-03 … IP-06)
 * @throws SendError for what is no event, a refusal (`rejected`, `quota_exceeded`) or no answer in time (`timeout`)
 * @throws LedgerUnavailable without a connection, for a 5xx, 408 or 425, and for an answer that is no JSON
 * @throws ConfigurationError naming the variable or member at fault
 */
export function sendEvent(event: OriginalEvent): Promise<LedgerAnswer>
export function sendEvent(
  eventName: string,
  payload: SendPayload,
  kind?: EventKind,
  service?: string,
  env?: string,
): Promise<LedgerAnswer>
export async function sendEvent(
  event: OriginalEvent | string,
  payload?: SendPayload,
  kind?: EventKind,
  service?: string,
  env?: string,
): Promise<LedgerAnswer> {
  const sender = fromEnvironment()
  if (typeof event !== 'string') return sendOne(sender, event)
  return sender.send(event, payload as SendPayload, { kind, service, env })
}

/**
 * Sends one event, and the same bytes under the same key again after a network failure, a time-out, a 408, 425 or
 * 5xx: each wait is chance up to its limit, and never shorter than the ledger asks for. (IP-07, IP-08)
 * @returns the ledger's answer; `undefined` when all attempts failed or the ledger refused, after one line of level
 * ERROR, and when the monthly limit is reached, after one of level WARNING that holds the answer
 * @throws SendError for what is no event
 * @throws ConfigurationError naming the variable or option at fault
 */
export async function sendEventWithRetry(
  eventName: string,
  payload: SendPayload,
  options: SendWithRetryOptions = {},
): Promise<LedgerAnswer | undefined> {
  const taker = 'sendEventWithRetry()'
  const {
    maxRetries = 3,
    baseDelay = 0.5,
    ...event
  } = readOptions(options, retrySpellings, taker) as Pick<
    SendWithRetryOptions,
    'maxRetries' | 'baseDelay' | keyof EventOptions
  >
  inRange('maxRetries', maxRetries, 1, 100, 'a whole number of attempts')
  if (!(baseDelay >= 0 && baseDelay <= 60))
    throw new ConfigurationError('baseDelay', 'a number of seconds from 0 to 60 is needed.')
  return fromEnvironment().sendWithRetry(eventName, payload, event, { maxRetries, baseDelay })
}

/**
 * Sends many events, one post each, never more at once than `maxWorkers`. One result per event, in their order;
 * failures are marked, and said in a rate-limited line. Never rejects for an event. (IP-09)
 * @throws ConfigurationError naming the variable or option at fault
 */
export async function sendEventsBatch(
  events: readonly OriginalEvent[],
  options: SendBatchOptions = {},
): Promise<BatchResult[]> {
  const { maxWorkers = 5 } = readOptions(options, batchSpellings, 'sendEventsBatch()') as SendBatchOptions
  if (!Array.isArray(events)) throw new ConfigurationError('sendEventsBatch()', 'takes a list of events.')
  inRange('maxWorkers', maxWorkers, 1, 1_000, 'a whole number of posts')
  return sendAll(fromEnvironment(), events, maxWorkers)
}

/** {@link sendEvent} of one object, by a given sender. */
export async function sendOne(sender: EventSender, event: OriginalEvent): Promise<LedgerAnswer> {
  const { eventName, payload, ...options } = readOptions(event, eventSpellings, 'sendEvent()')
  return sender.send(eventName as string, payload as SendPayload, options as EventOptions)
}

/** {@link sendEventsBatch} by a given sender. */
export async function sendAll(
  sender: EventSender,
  events: readonly OriginalEvent[],
  maxWorkers: number,
): Promise<BatchResult[]> {
  const results: BatchResult[] = new Array(events.length)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < events.length; i = next++) results[i] = await attempt(sender, events[i]!)
  }
  await Promise.all(Array.from({ length: Math.min(maxWorkers, events.length) }, worker))
  return results
}

async function attempt(sender: EventSender, event: OriginalEvent): Promise<BatchResult> {
  const { eventName, event_name } = Object(event) as { eventName?: unknown; event_name?: unknown }
  const name = String(eventName ?? event_name ?? '')
  try {
    const { tx_id, truncated } = await sendOne(sender, event)
    const sent = { ok: true, event: name, txId: tx_id, tx_id } as const
    return truncated === undefined ? sent : { ...sent, truncated }
  } catch (error) {
    const problem = errorMessage(error)
    internalsOf(sender.box).notices.warn('batch_send', `An event of a batch was not sent: ${problem}`, {
      event_name: name,
    })
    const isOurs =
      error instanceof SendError || error instanceof LedgerUnavailable || error instanceof ConfigurationError
    // Reading what the caller handed over threw: a getter, a proxy.
    const told = isOurs ? error : new SendError('invalid_event', `The event cannot be sent: ${problem}`)
    return { ok: false, event: name, txId: null, tx_id: null, error: told }
  }
}

function inRange(setting: string, value: number, least: number, most: number, what: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new ConfigurationError(setting, `${what} from ${least} to ${most} is needed.`)
}
