import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AuditEvent,
  type HttpLedger,
  type HttpReply,
  httpLedger,
  LedgerUnavailable,
  quotaPauseOf,
  refusal,
  retryDelay,
  SendError,
  type SendPayload,
} from '../../audit/index.ts'
import { current } from '../../default-instance.ts'
import type { Deedbox } from '../../instance.ts'
import { type Internals, internalsOf } from '../../internals.ts'
import { errorMessage } from '../../safety/index.ts'
import type { OriginalBox } from './original-box.ts'
import type { EventOptions } from './original-options.ts'

/** A ledger's answer to one event, as it came: these members, and whatever else it says. (IP-06) */
export interface LedgerAnswer {
  readonly ok: boolean
  /** `null` where no key is set and the event became a log line. */
  readonly tx_id: string | null
  /** Hex SHA-256 of the payload as sent. */
  readonly payload_hash: string
  /** `accepted`, or `logged` where no key is set. */
  readonly status: string
  /** Whether the ledger had the event already. */
  readonly duplicate: boolean
  readonly request_id: string
  /** Which members of the payload were cut or left out, where it had more than 12,000 bytes. Not the ledger's word. */
  readonly truncated?: readonly string[]
  readonly [member: string]: unknown
}

/** How often, and with what waits, {@link EventSender.sendWithRetry} tries. */
export interface RetryOptions {
  /** Attempts in total. */
  readonly maxRetries: number
  /** Seconds. */
  readonly baseDelay: number
}

/** The longest time that retries may take beside the attempts themselves. Milliseconds. */
const longestWaits = 60_000

/** How long nothing is posted after a 429 that names no time itself. Milliseconds. (IP-06) */
const quotaPause = 3_600_000

/** Names may be made of ids: so many are told, and no more kept. */
const mostCutNames = 1_000

interface BuiltEvent {
  readonly event: AuditEvent
  readonly truncated: readonly string[] | undefined
}

/**
 * Sends events one post each, and waits for the ledger's own answer, as the originals' functions do. Events are built
 * by the instance: once each, secrets blanked, under a key of their own.
 */
export class EventSender {
  /** The instance that builds the events. */
  readonly box: Deedbox
  readonly #internals: Internals
  readonly #ledger: HttpLedger | undefined
  #quota: { readonly until: number; readonly reply: HttpReply } | undefined
  /** Names of events that were cut, each told once. */
  readonly #cutNames = new Set<string>()

  constructor({ box, remote }: OriginalBox, timeout?: number) {
    this.box = box
    this.#internals = internalsOf(box)
    this.#ledger = remote === undefined ? undefined : httpLedger({ ...remote, timeout })
  }

  /**
   * Sends one event in one post.
   * @throws SendError, LedgerUnavailable
   */
  async send(name: string, payload: SendPayload, options: EventOptions): Promise<LedgerAnswer> {
    if (this.#ledger === undefined) return this.#logged(name, payload, options)
    const { event, truncated } = this.#build(name, payload, options)
    const reply = await this.#post(this.#ledger, event).catch(explained)
    if (!reply.result.ok) throw refusal(event, reply.result)
    return answerOf(reply.body, truncated)
  }

  /**
   * Sends one event, and the same bytes again under the same key while that may help. (IP-07, IP-08)
   * @returns the ledger's answer; `undefined` after the last failure, or a refusal, once it is said in a line
   * @throws SendError for what is no event
   */
  async sendWithRetry(
    name: string,
    payload: SendPayload,
    options: EventOptions,
    { maxRetries, baseDelay }: RetryOptions,
  ): Promise<LedgerAnswer | undefined> {
    if (this.#ledger === undefined) return this.#logged(name, payload, options)
    const { event, truncated } = this.#build(name, payload, options)
    const paused = this.#paused()
    if (paused !== undefined) {
      this.#internals.notices.warn(
        'send_paused',
        'The monthly limit is reached, so nothing is posted for now',
        {
          answer: paused.body,
        },
      )
      return undefined
    }
    let waited = 0
    for (let attempt = 1; ; attempt++) {
      try {
        const reply = await this.#post(this.#ledger, event)
        if (reply.result.ok) return answerOf(reply.body, truncated)
        if (reply.result.status === 429)
          this.#tell('WARNING', 'The monthly limit is reached', event, { answer: reply.body })
        else this.#tell('ERROR', refusal(event, reply.result).message, event, { answer: reply.body })
        return undefined
      } catch (error) {
        if (!(error instanceof LedgerUnavailable || error instanceof SendError)) throw error
        const wish = error instanceof LedgerUnavailable ? error.retryAfter : undefined
        const backoff = { base: baseDelay * 1000, cap: longestWaits }
        const wait = retryDelay(attempt, backoff, Math.random(), wish)
        waited += wait
        if (attempt >= maxRetries || waited > longestWaits) {
          this.#tell(
            'ERROR',
            `The event was not sent in ${attempt} attempts: ${errorMessage(error)}`,
            event,
            {},
          )
          return undefined
        }
        this.#internals.notices.warn('send_retry', `An event is sent again, since ${errorMessage(error)}`, {
          attempt,
          wait_ms: Math.round(wait),
          event_name: name,
        })
        await sleep(wait)
      }
    }
  }

  /**
   * The original has a limit of 12,000 bytes and cuts. What went is named in the event's `truncated`, in the answer, and
   * once for each name of an event in a line: who hands over an order wants to know that its lines are missing. (IP-04, IP-15)
   */
  #build(name: string, payload: SendPayload, options: EventOptions): BuiltEvent {
    const event = this.#internals.auditor.build(name, payload, { ...wayOf(options), clamp: true })
    const truncated = cutOf(event.payload, payload)
    if (truncated !== undefined && !this.#cutNames.has(name) && this.#cutNames.size < mostCutNames) {
      this.#cutNames.add(name)
      this.#own(
        'WARNING',
        'The payload of an event was cut to 12,000 bytes; `truncated` names what is missing',
        {
          notice: 'send_truncated',
          event_name: name,
          truncated,
        },
      )
    }
    return { event, truncated }
  }

  /** Once the quota is used up nothing is posted for a while: each attempt would be refused the same way. (IP-06) */
  async #post(ledger: HttpLedger, event: AuditEvent): Promise<HttpReply> {
    const paused = this.#paused()
    if (paused !== undefined) return paused
    try {
      const reply = await ledger.post(event)
      const { result } = reply
      if (!result.ok && result.status === 429) {
        const pause = quotaPauseOf(result.retryAfter, quotaPause)
        this.#quota = { until: Date.now() + pause, reply }
      }
      return reply
    } catch (error) {
      if (!(error instanceof LedgerUnavailable) || !isTimeout(error.cause)) throw error
      throw new SendError('timeout', 'The ledger did not answer in time; it may have the event', {
        idempotencyKey: event.idempotencyKey,
      })
    }
  }

  /** The 429 that stops all posts for now. */
  #paused(): HttpReply | undefined {
    return this.#quota !== undefined && this.#quota.until > Date.now() ? this.#quota.reply : undefined
  }

  /** Without a key the event becomes a log line, and the answer says so. (Ruling 1) */
  async #logged(name: string, payload: SendPayload, options: EventOptions): Promise<LedgerAnswer> {
    const { truncated } = this.#build(name, payload, options)
    const { txId, payloadHash, status, duplicate, requestId } = await this.box.send(name, payload, {
      ...wayOf(options),
      clamp: true,
    })
    const answer = {
      ok: true,
      tx_id: txId,
      payload_hash: payloadHash,
      status,
      duplicate,
      request_id: requestId,
    }
    return answerOf(answer, truncated)
  }

  #tell(level: 'WARNING' | 'ERROR', message: string, event: AuditEvent, more: Record<string, unknown>): void {
    this.#own(level, message, { notice: 'send_event', event_name: event.meta.event_name, ...more })
  }

  #own(level: 'WARNING' | 'ERROR', message: string, fields: Record<string, unknown>): void {
    this.#internals.writer.own({ level, message, fields })
  }
}

/** The request that the calling code belongs to, of whichever instance, gives its id. (IP-15) */
function wayOf({ kind, service, env }: EventOptions): {
  kind?: NonNullable<EventOptions['kind']>
  service?: string
  env?: string
  requestId?: string
} {
  const requestId = current()?.requestId
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(service === undefined ? {} : { service }),
    ...(env === undefined ? {} : { env }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/** As a sentence of its own, for who gets it without a line around it. */
function explained(error: unknown): never {
  if (!(error instanceof LedgerUnavailable)) throw error
  const { message, retryAfter } = error
  throw new LedgerUnavailable(`The ledger did not take the event, or may have: ${message}`, {
    retryAfter,
    cause: error,
  })
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'TimeoutError'
}

/** What was cut of a payload. A member `truncated` may also be the caller's own, which it is as long as it stays the same. */
function cutOf(text: string, payload: SendPayload): readonly string[] | undefined {
  if (typeof payload !== 'object' || !text.includes('"truncated":[')) return undefined
  const { truncated } = JSON.parse(text) as { truncated?: readonly string[] }
  const isOwn = JSON.stringify(truncated) === JSON.stringify(Reflect.get(payload, 'truncated'))
  return Array.isArray(truncated) && !isOwn ? truncated : undefined
}

function answerOf(body: unknown, truncated: readonly string[] | undefined): LedgerAnswer {
  return truncated === undefined ? (body as LedgerAnswer) : { ...(body as LedgerAnswer), truncated }
}
