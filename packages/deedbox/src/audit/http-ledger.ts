import { errorMessage } from '../safety/index.ts'
import { readRetryAfter } from './backoff.ts'
import { type LedgerClient, type LedgerItem, type LedgerResult, LedgerUnavailable } from './ledger-client.ts'
import { ReceiptError } from './receipt.ts'

/** A ledger reached over HTTP, ours or one with the contract of immutablelog.md §1. */
export interface HttpLedgerOptions {
  /** Base URL; `/v1/events` is added to it. */
  readonly url: string
  readonly apiKey: string
  /** Milliseconds for one call. Default 5,000. (IF-32) */
  readonly timeout?: number | undefined
  /** `false` for a ledger that is known to have no batch call: it is not asked for one. Default `true`. */
  readonly batches?: boolean | undefined
}

/** What a ledger over HTTP made of one event. */
export interface HttpReply {
  readonly result: LedgerResult
  /** Its answer as it parsed, with whatever members it has. */
  readonly body: unknown
}

/** The client of a ledger over HTTP. */
export interface HttpLedger extends LedgerClient {
  /**
   * One event in one post, now.
   * @throws LedgerUnavailable when its fate is unknown, or the ledger may take it later
   */
  post(item: LedgerItem): Promise<HttpReply>
}

interface Answer {
  readonly status: number
  readonly text: string
  /** The text as JSON; `undefined` if it is none. */
  readonly body: unknown
  readonly retryAfter: number | undefined
}

type Refusal = Extract<LedgerResult, { ok: false }>

/** Single posts under way at once, to a ledger without the batch call. (Ruling 22) */
const concurrentPosts = 5
/** Events of one batch of single posts: whoever comes to wait for an event waits for two rounds of others at most. */
const singleBatch = 2 * concurrentPosts

/**
 * Builds the client of a ledger over HTTP. Batches go to `POST {url}/v1/events/batch`; a ledger that answers 404
 * or 405 there gets single posts from then on. Redirects are not followed: the key is for this URL only.
 */
export function httpLedger(options: HttpLedgerOptions): HttpLedger {
  const base = options.url.replace(/\/+$/, '')
  const timeout = options.timeout ?? 5_000
  const headers = {
    Authorization: `Bearer ${options.apiKey}`,
    'Content-Type': 'application/json',
    'X-Client-TZ': 'UTC',
    'X-Client-Offset-Minutes': '0',
  }
  let hasBatches = options.batches !== false
  let knowsProducers = true

  const call = async (path: string, init: RequestInit, more: Record<string, string>): Promise<Answer> => {
    try {
      const response = await fetch(`${base}${path}`, {
        ...init,
        headers: { ...headers, ...more },
        redirect: 'manual',
        signal: AbortSignal.timeout(timeout),
      })
      const retryAfter = readRetryAfter(response.headers.get('retry-after'), Date.now())
      const text = await response.text()
      return { status: response.status, text, body: parseJson(text), retryAfter }
    } catch (error) {
      throw new LedgerUnavailable(explain(error), { cause: error })
    }
  }

  const post = (path: string, body: string, more: Record<string, string>): Promise<Answer> =>
    call(path, { method: 'POST', body }, more)

  const postOne = async (item: LedgerItem): Promise<HttpReply> => {
    const { payload, meta, idempotencyKey, requestId } = item
    const answer = await post('/v1/events', JSON.stringify({ payload, meta }), {
      ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': headerText(idempotencyKey) }),
      ...(requestId === undefined ? {} : { 'Request-Id': headerText(requestId) }),
    })
    const { body } = answer
    return { result: isSuccess(answer) ? readAccepted(body) : refuse(answer), body }
  }
  const appendOne = async (item: LedgerItem): Promise<LedgerResult> => (await postOne(item)).result

  const appendSingly = async (items: readonly LedgerItem[]): Promise<LedgerResult[]> => {
    const results: LedgerResult[] = new Array(items.length)
    let next = 0
    let quota: Refusal | undefined
    const worker = async (): Promise<void> => {
      for (let i = next++; i < items.length; i = next++) {
        const result = quota ?? (await appendOne(items[i]!).catch(unavailable))
        if (!result.ok && result.status === 429) quota = result
        results[i] = result
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrentPosts, items.length) }, worker))
    return results
  }

  const appendTogether = async (items: readonly LedgerItem[]): Promise<readonly LedgerResult[]> => {
    const body = items.map(({ payload, meta, idempotencyKey }) => ({
      payload,
      meta,
      idempotency_key: idempotencyKey,
    }))
    const answer = await post('/v1/events/batch', JSON.stringify(body), {})
    if (answer.status === 404 || answer.status === 405) {
      hasBatches = false
      return appendSingly(items)
    }
    if (isSuccess(answer)) return readResults(answer.body)
    const refusal = refuse(answer)
    if (items.length === 1 || isAboutCaller(refusal)) return items.map(() => refusal)
    // It is about something in the batch, or about its size, and need not be about each event of it.
    const half = Math.ceil(items.length / 2)
    const first = await appendTogether(items.slice(0, half))
    const rest = items.slice(half)
    const stop = first.find(result => !result.ok && isAboutCaller(result))
    if (stop !== undefined) return [...first, ...rest.map(() => stop)]
    // What the first half was told must not get lost with the second.
    const second = await appendTogether(rest).catch(error => rest.map(() => unavailable(error)))
    return [...first, ...second]
  }

  return {
    get batchSize() {
      return hasBatches ? undefined : singleBatch
    },
    appendBatch: async items => {
      const [only] = items
      if (items.length === 1 && only !== undefined) return [await appendOne(only)]
      return hasBatches ? appendTogether(items) : appendSingly(items)
    },
    announce: async announcement => {
      if (!knowsProducers) return
      const answer = await post('/v1/producers', JSON.stringify(announcement), {})
      if (isSuccess(answer) && saysOk(answer.body)) return
      const { status } = answer
      if (status >= 400 && (status === 429 || isTemporary(status)))
        throw new LedgerUnavailable(`it answered ${status}`)
      // Not a ledger that knows the call: it is not asked again.
      knowsProducers = false
    },
    post: postOne,
    receipt: async (txId, disclose) => {
      const query = disclose.length === 0 ? '' : `?disclose=${disclose.join(',')}`
      const answer = await call(`/v1/events/${encodeURIComponent(txId)}/receipt${query}`, {}, {})
      if (isSuccess(answer)) return answer.text
      const reason = member(answer.body, 'reason')
      if (answer.status === 404 && reason !== 'unknown_event')
        throw new ReceiptError('no_ledger', 'This ledger knows no receipts')
      const code =
        reason === 'unknown_event' ? reason : isTemporary(answer.status) ? 'unavailable' : 'refused'
      const said = member(answer.body, 'message') ?? `it answered ${answer.status}`
      throw new ReceiptError(code, `The ledger gave no receipt of ${txId}: ${said}`)
    },
  }
}

function isSuccess(answer: Answer): boolean {
  return answer.status >= 200 && answer.status < 300
}

/** A refusal that is final for these events; throws when the same events may be taken later. (IP-07) */
function refuse(answer: Answer): Refusal {
  const { status, retryAfter } = answer
  const reason = member(answer.body, 'reason') ?? `http_${status}`
  const message = member(answer.body, 'message') ?? `the ledger answered ${status}`
  if (isTemporary(status)) throw new LedgerUnavailable(`it answered ${status} (${reason})`, { retryAfter })
  return {
    ok: false,
    reason,
    message,
    retryable: false,
    status,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** Whether a refusal is about whoever asks, so that it holds for each event: its quota, its key, what the key may do. */
function isAboutCaller({ status, reason }: Refusal): boolean {
  return status === 429 || status === 401 || (status === 403 && reason === 'insufficient_scope')
}

function saysOk(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Reflect.get(body, 'ok') === true
}

/** Statuses after which the same bytes may be taken. A redirect is one: somebody may yet correct the address. */
function isTemporary(status: number): boolean {
  return status < 400 || status === 408 || status === 425 || status >= 500
}

function readAccepted(body: unknown): LedgerResult {
  if (typeof body !== 'object' || body === null) throw new LedgerUnavailable('its answer is not JSON')
  const index = Reflect.get(body, 'index')
  return {
    ok: true,
    txId: member(body, 'tx_id') ?? '',
    ...(typeof index === 'number' ? { index } : {}),
    payloadHash: member(body, 'payload_hash') ?? '',
    duplicate: Reflect.get(body, 'duplicate') === true,
    requestId: member(body, 'request_id'),
  }
}

function readResults(body: unknown): LedgerResult[] {
  const results = typeof body === 'object' && body !== null ? Reflect.get(body, 'results') : undefined
  if (!Array.isArray(results)) throw new LedgerUnavailable('its answer has no results')
  return results.map((result: unknown) => {
    if (typeof result === 'object' && result !== null && Reflect.get(result, 'ok') === true)
      return readAccepted(result)
    const status: unknown =
      typeof result === 'object' && result !== null ? Reflect.get(result, 'status') : undefined
    const code = typeof status === 'number' ? status : 500
    return {
      ok: false,
      reason: member(result, 'reason') ?? `http_${code}`,
      message: member(result, 'message') ?? `the ledger answered ${code} for this event`,
      retryable: isTemporary(code),
      status: code,
    }
  })
}

function unavailable(error: unknown): Refusal {
  const retryAfter = error instanceof LedgerUnavailable ? error.retryAfter : undefined
  return {
    ok: false,
    reason: 'ledger_unavailable',
    message: errorMessage(error),
    retryable: true,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

function member(body: unknown, name: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
  return typeof value === 'string' ? value : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A header value: what a header cannot hold is percent-encoded. (IF-31) */
function headerText(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : encodeURIComponent(text.toWellFormed())
}

/** `fetch` hides what happened in the cause. */
function explain(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause === undefined ? errorMessage(error) : `${errorMessage(error)}: ${errorMessage(cause)}`
}
