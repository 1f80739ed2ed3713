import type { LedgerItem } from '../audit/index.ts'
import {
  EventRefusal,
  limits,
  readBatch,
  readEvent,
  textOfHeader,
  toldMessage,
} from '../event-rules/index.ts'
import { type HttpAnswer, Problem, type Route, type TakenRequest } from './memory-server.ts'
import type { MemoryEvent, Stored } from './memory-store.ts'
import type { ScriptedAnswer } from './scripted-failures.ts'

/** An event that was not stored: refused, or answered by a script. */
export type NotStored = EventRefusal | ScriptedAnswer

/** What became of one call; a script may answer it as a whole. */
export type CallOutcome =
  | { readonly results: readonly (Stored | NotStored)[] }
  | { readonly answer: ScriptedAnswer }
  | 'cut'

/** What the routes need of the ledger. */
export interface CallTaker {
  readonly events: readonly MemoryEvent[]
  take(items: readonly (LedgerItem | EventRefusal)[]): Promise<CallOutcome>
}

/** `POST /v1/events`, `POST /v1/events/batch` and `GET /v1/events/{tx_id}` as the ledger answers them. */
export function memoryRoutes(ledger: CallTaker): Route[] {
  const single = /^\/v1\/events$/
  const one = /^\/v1\/events\/[^/]+$/
  return [
    {
      method: 'POST',
      path: single,
      bodyLimit: limits.singleBodyBytes,
      answer: request => storeOne(ledger, request),
    },
    {
      method: 'POST',
      path: /^\/v1\/events\/batch$/,
      bodyLimit: limits.batchBodyBytes,
      answer: request => storeAll(ledger, request),
    },
    ...['GET', 'HEAD'].map(method => ({
      method,
      path: one,
      answer: async ({ path }: TakenRequest) => readOne(ledger, path),
    })),
  ]
}

async function storeOne(
  ledger: CallTaker,
  { body, headers, query }: TakenRequest,
): Promise<HttpAnswer | 'cut'> {
  checkQuery(query)
  const item = refusing(() => readEvent(body))
  const key = textOfHeader(headers['idempotency-key'])
  const requestId = textOfHeader(headers['request-id'])
  const outcome = await ledger.take([
    {
      ...item,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(requestId !== undefined && /^[\x21-\x7e]{1,128}$/.test(requestId) ? { requestId } : {}),
    },
  ])
  if (outcome === 'cut') return 'cut'
  const result = 'answer' in outcome ? outcome.answer : outcome.results[0]!
  if ('ok' in result) return { status: 202, body: storedView(result) }
  throw problemOf(result)
}

async function storeAll(ledger: CallTaker, { body, headers }: TakenRequest): Promise<HttpAnswer | 'cut'> {
  const isLines = headers['content-type']?.toLowerCase().startsWith('application/x-ndjson') === true
  const outcome = await ledger.take(refusing(() => readBatch(body, isLines)))
  if (outcome === 'cut') return 'cut'
  if ('answer' in outcome) throw problemOf(outcome.answer)
  const results = outcome.results.map(result => {
    if ('ok' in result) return { ...storedView(result), status: 202 }
    const { status, reason, message } = problemOf(result)
    return { ok: false, status, reason, message: toldMessage(message) }
  })
  return { status: 200, body: { ok: true, results } }
}

function readOne(ledger: CallTaker, path: string): HttpAnswer {
  const txId = path.slice('/v1/events/'.length)
  const event = ledger.events.find(each => each.txId === txId)
  if (event === undefined)
    throw new Problem(404, 'unknown_event', 'There is no event with this tx_id in the ledger.')
  const { index, at, text, payloadHash, meta, principal, requestId, amends } = event
  const body = {
    index,
    tx_id: txId,
    at,
    kind: 'event',
    payload: text,
    payload_hash: payloadHash,
    meta,
    principal,
    request_id: requestId,
    ...(amends === undefined ? {} : { amends }),
  }
  return { status: 200, body }
}

function storedView(stored: Stored): Record<string, unknown> {
  const { txId, payloadHash, status, duplicate, requestId, index, amends } = stored
  return {
    ok: true,
    tx_id: txId,
    payload_hash: payloadHash,
    status,
    duplicate,
    request_id: requestId,
    index,
    ...(amends === undefined ? {} : { amends }),
  }
}

function checkQuery(query: string): void {
  for (const [name, value] of new URLSearchParams(query)) {
    if (name !== 'receipt')
      throw new Problem(400, 'invalid_query', `The query parameter "${name}" is not known here.`)
    if (value !== '0')
      throw new Problem(400, 'invalid_query', 'A ledger in memory keeps no proofs, so it has no receipts.')
  }
}

function refusing<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof EventRefusal ? problemOf(error) : error
  }
}

/** A refusal as an answer, with the status and the headers that the ledger gives it. */
export function problemOf(refused: NotStored): Problem {
  if (refused instanceof EventRefusal) {
    const isTooLarge = /_too_large$/.test(refused.code)
    return new Problem(isTooLarge ? 413 : 400, refused.code, refused.message)
  }
  const { status, retryAfter } = refused
  const { reason = reasonOf(status), message = `The test has this ledger answer ${status}.` } = refused
  const wait = retryAfter ?? (status === 503 ? 1 : undefined)
  return new Problem(status, reason, message, {
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
  })
}

const reasons: Readonly<Record<number, string>> = {
  400: 'invalid_event',
  401: 'invalid_api_key',
  403: 'insufficient_scope',
  404: 'unknown_route',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  415: 'unsupported_content_type',
  429: 'quota_exceeded',
  500: 'internal_error',
  503: 'overloaded',
}

function reasonOf(status: number): string {
  return reasons[status] ?? `http_${status}`
}
