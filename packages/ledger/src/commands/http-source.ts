import { setTimeout as wait } from 'node:timers/promises'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import type { FollowQuery } from '../ledger-view.ts'
import type { ProducerView } from '../producers/index.ts'
import type { StoredEvent } from '../stored-event.ts'
import type { Counted, Facet, LedgerFacts, LedgerSource } from './ledger-source.ts'
import { serverSentEvents } from './server-sent-events.ts'

/** Milliseconds until a call has to be answered, and after which a tail without a sign of life is taken for dead. */
const answerTime = 60_000
const silence = 45_000

/** Waits between attempts to come back, in milliseconds: the first, and the longest. */
const firstWait = 500
const longestWait = 15_000

/** What may be over when it is tried again. */
const passing: readonly LedgerErrorCode[] = [
  'unreachable',
  'overloaded',
  'storage_full',
  'storage_failed',
  'ledger_stopped',
]

/**
 * A running ledger, read with the key in `DEEDBOX_API_KEY`.
 *
 * @throws LedgerError `invalid_usage` for an address or a key that cannot be one
 */
export function httpSource(address: string, env: NodeJS.ProcessEnv): LedgerSource {
  const apiKey = env.DEEDBOX_API_KEY ?? ''
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new LedgerError('invalid_usage', 'Set DEEDBOX_API_KEY to a key with the scope read.')
  }
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new LedgerError('invalid_usage', `"${address}" is no base URL such as https://ledger.example.`)
  }
  const caller = new LedgerCaller(address.replace(/\/+$/, ''), apiKey)
  return {
    async search(query) {
      const page = await caller.json('/v1/events', query)
      return {
        events: page.events as StoredEvent[],
        nextCursor: page.next_cursor as string | null,
        asOf: page.as_of as number,
      }
    },
    follow: (query, signal, tell) => followAgain(caller, query, signal, tell),
    async export(query, signal) {
      const response = await caller.open('/v1/export', query, signal)
      return {
        from: Number(response.headers.get('deedbox-from')),
        to: Number(response.headers.get('deedbox-to')),
        pieces: piecesOf(response, caller.base),
      }
    },
    histogram: query => caller.json('/v1/stats/histogram', query),
    facets: (query, fields, limit) =>
      Promise.all(
        fields.map(field => caller.json<Counted & Facet>('/v1/stats/facets', { ...query, field, limit })),
      ),
    async producers(filters) {
      const page = await caller.json('/v1/producers', filters)
      return { producers: page.producers as ProducerView[], nextCursor: page.next_cursor as string | null }
    },
    facts: () => factsOf(caller),
    close: () => undefined,
  }
}

/** Calls of one server. Redirects are not followed: the key is for this address only. */
class LedgerCaller {
  readonly base: string
  readonly #apiKey: string

  constructor(base: string, apiKey: string) {
    this.base = base
    this.#apiKey = apiKey
  }

  /** The answer, its body not read yet. @throws LedgerError what the ledger says, or `unreachable` */
  async open(
    path: string,
    query: object,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const url = new URL(this.base + path)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    let response: Response
    try {
      response = await fetch(url, {
        headers: { ...headers, authorization: `Bearer ${this.#apiKey}` },
        redirect: 'manual',
        signal,
      })
    } catch (cause) {
      throw unreachable(`The ledger at ${this.base} cannot be reached`, cause)
    }
    if (response.ok) return response
    const problem = await bodyOf(response)
    if (typeof problem?.reason === 'string' && typeof problem.message === 'string') {
      throw new LedgerError(problem.reason as LedgerErrorCode, `The ledger says: ${problem.message}`)
    }
    throw new LedgerError(
      'unreachable',
      `${this.base} did not answer as a Deedbox ledger does (status ${response.status}).`,
    )
  }

  /** The answer, which is believed to be what the call answers. */
  async json<T extends object = Record<string, unknown>>(path: string, query: object): Promise<T> {
    const response = await this.open(path, query, AbortSignal.timeout(answerTime))
    const body = await bodyOf(response)
    if (body === undefined) {
      throw new LedgerError('unreachable', `${this.base} did not answer as a Deedbox ledger does.`)
    }
    return body as T
  }

  async text(path: string): Promise<string> {
    const response = await this.open(path, {}, AbortSignal.timeout(answerTime))
    return response.text()
  }
}

async function bodyOf(response: Response): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = await response.json()
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function unreachable(what: string, error: unknown): LedgerError {
  const { cause = error } = error as { cause?: unknown }
  const { code, message } = cause as { code?: unknown; message?: unknown }
  const said = code === 'ECONNREFUSED' ? 'nothing listens there' : String(message || code)
  return new LedgerError('unreachable', `${what}: ${said}.`, { cause: error })
}

/** A tail that comes back after every break with the last id it has seen, so that nothing is missed or doubled. */
async function* followAgain(
  caller: LedgerCaller,
  { after, ...query }: FollowQuery & { after: number },
  signal: AbortSignal,
  tell: (sentence: string) => void,
): AsyncGenerator<StoredEvent, void, undefined> {
  let last = after
  let failures = 0
  while (!signal.aborted) {
    let trouble: string
    const connection = new AbortController()
    const onAbort = () => connection.abort()
    signal.addEventListener('abort', onAbort, { once: true })
    const watchdog = setTimeout(() => connection.abort(new Error('it was silent for too long')), silence)
    try {
      const headers = { 'last-event-id': String(last), accept: 'text/event-stream' }
      const response = await caller.open('/v1/events/stream', query, connection.signal, headers)
      if (failures > 0) tell(`Connected again; going on after index ${last}.`)
      for await (const message of serverSentEvents(alive(response, watchdog))) {
        failures = 0
        if (message.event === 'problem') throw problemIn(message.data)
        if (message.event === 'event') yield JSON.parse(message.data) as StoredEvent
        if (message.id !== undefined) last = Number(message.id)
      }
      trouble = `The ledger at ${caller.base} ended the connection.`
    } catch (error) {
      if (signal.aborted) return
      const failed =
        error instanceof LedgerError ? error : unreachable(`The connection to ${caller.base} broke`, error)
      if (!passing.includes(failed.code)) throw failed
      trouble = failed.message
    } finally {
      clearTimeout(watchdog)
      signal.removeEventListener('abort', onAbort)
      connection.abort()
    }
    if (signal.aborted) return
    const pause = Math.min(longestWait, firstWait * 2 ** Math.min(failures++, 10))
    tell(`${trouble} Trying again in ${pause / 1_000} s.`)
    await wait(pause, undefined, { signal }).catch(() => undefined)
  }
}

async function* alive(response: Response, watchdog: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  if (response.body === null) return
  for await (const bytes of response.body) {
    watchdog.refresh()
    yield bytes
  }
}

function problemIn(data: string): LedgerError {
  const { reason, message } = JSON.parse(data) as { reason: LedgerErrorCode; message: string }
  return new LedgerError(reason, `The ledger says: ${message}`)
}

async function* piecesOf(response: Response, base: string): AsyncGenerator<Buffer> {
  if (response.body === null) return
  try {
    for await (const bytes of response.body) {
      yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
  } catch (cause) {
    throw new LedgerError(
      'incomplete',
      `${unreachable(`The connection to ${base} broke`, cause).message} The export is not whole.`,
      {
        cause,
      },
    )
  }
}

async function factsOf(caller: LedgerCaller): Promise<LedgerFacts> {
  const checkpoint = await ifAllowed(() => caller.text('/ledgers/main/checkpoint'))
  const health = await ifAllowed(() => caller.json('/__heartbeat__', {}))
  const guard = (health?.checks as { guard?: string } | undefined)?.guard
  return {
    place: caller.base,
    origin: checkpoint?.split('\n', 1)[0] ?? null,
    fileBytes: null,
    checkpoint: checkpoint ?? null,
    apiKeys: null,
    guard:
      guard === undefined
        ? null
        : {
            good: guard === 'ok',
            says: guard === 'ok' ? 'nothing to report' : `${guard}, see /__heartbeat__`,
          },
  }
}

/** What this key may not see, or a server in trouble does not tell, is left out of the picture. */
async function ifAllowed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof LedgerError) return undefined
    throw error
  }
}
