import { type LedgerClient, type LedgerItem, type LedgerResult, LedgerUnavailable } from '../audit/index.ts'
import { EventRefusal } from '../event-rules/index.ts'
import { type CallOutcome, memoryRoutes, type NotStored, problemOf } from './memory-routes.ts'
import { MemoryServer } from './memory-server.ts'
import { type MemoryEvent, MemoryStore, type Stored } from './memory-store.ts'
import { mismatch } from './partial-match.ts'
import { type FailureScope, FailureScript, type ScriptedAnswer } from './scripted-failures.ts'

/** How a ledger in memory is made. */
export interface MemoryLedgerOptions {
  /** The key that its HTTP calls take. */
  readonly apiKey?: string
}

/** Where a ledger in memory listens, as the option `ledger` of an instance takes it. */
export interface MemoryLedgerAddress {
  readonly url: string
  readonly apiKey: string
}

/** What an event is looked up by: members of {@link MemoryEvent}, and of those only what is named. */
export type EventPattern = { readonly [Member in keyof MemoryEvent]?: unknown }

/**
 * A ledger for tests, in memory: it takes and refuses events as the ledger does, and fails as a test tells it to. It is no
 * log: nothing in it is chained, signed or kept, and there are no receipts.
 */
export interface MemoryLedger extends LedgerClient {
  /** What is stored, in order. */
  readonly events: readonly MemoryEvent[]
  /** How many calls came that could be read, those that failed included; a batch is one. */
  readonly calls: number
  /** The events that a pattern fits; see {@link EventPattern}. */
  find(pattern: EventPattern): MemoryEvent[]
  /** Resolves once so many events are stored; rejects never, so the test's own time-out ends it. */
  received(count: number): Promise<readonly MemoryEvent[]>
  /** Also listens over HTTP, on a free port of the loopback interface, until {@link MemoryLedger.close}. */
  listen(): Promise<MemoryLedgerAddress>
  /** Calls are answered with a status of 4xx or 5xx, 503 if none is named, and nothing is stored. */
  fail(failure?: Partial<ScriptedAnswer> & FailureScope): void
  /** Calls are refused for good with a status of 4xx. */
  refuse(status: number, scope?: FailureScope): void
  /** Calls are answered 429: the monthly quota is used up. `retryAfter` in seconds. */
  quota(scope?: FailureScope & { readonly retryAfter?: number }): void
  /** Calls take so many milliseconds longer. */
  slow(milliseconds: number, scope?: FailureScope): void
  /** Calls are never answered; `recover()` and `close()` cut them off. */
  hang(scope?: FailureScope): void
  /** The connection dies, and nothing is stored. */
  cut(scope?: FailureScope): void
  /** The connection dies once the events are stored; of one call, unless the scope says otherwise. */
  cutAfterStoring(scope?: FailureScope): void
  /** From now on all goes well. */
  recover(): void
  /** Stops listening, and cuts off what hangs. The events stay. */
  close(): Promise<void>
}

/**
 * Makes a ledger in memory: `deedbox({ ledger: memoryLedger() })`, or over HTTP
 * `deedbox({ ledger: await memoryLedger().listen() })`.
 */
export function memoryLedger(options: MemoryLedgerOptions = {}): MemoryLedger {
  const { apiKey = 'deed_test_memory' } = options
  const store = new MemoryStore()
  const script = new FailureScript()
  const waiting = new Set<() => void>()
  let calls = 0
  let address: Promise<MemoryLedgerAddress> | undefined

  const take = async (
    items: readonly (LedgerItem | EventRefusal)[],
    principal: string,
    source: 'parser' | 'caller',
  ): Promise<CallOutcome> => {
    calls++
    const fate = await script.meet(items.map(nameOf))
    if (fate.cutBefore) return 'cut'
    if (fate.answer !== undefined) return { answer: fate.answer }
    const results = items.map((item): Stored | NotStored => {
      if (item instanceof EventRefusal) return item
      const scripted = fate.answerTo(nameOf(item))
      if (scripted !== undefined) return scripted
      try {
        return store.append(item, principal, source)
      } catch (error) {
        if (error instanceof EventRefusal) return error
        throw error
      }
    })
    for (const check of waiting) check()
    return fate.cutAfter ? 'cut' : { results }
  }

  const server = new MemoryServer(
    memoryRoutes({ events: store.events, take: items => take(items, 'writer_test', 'parser') }),
    apiKey,
  )

  return {
    events: store.events,
    get calls() {
      return calls
    },
    find: pattern => store.events.filter(event => mismatch(event, pattern) === undefined),
    received: count =>
      new Promise(resolve => {
        const check = (): void => {
          if (store.events.length < count) return
          waiting.delete(check)
          resolve(store.events)
        }
        waiting.add(check)
        check()
      }),
    appendBatch: async items => readOutcome(await take(items, 'in-process', 'caller'), items.length),
    listen: () => {
      address ??= server.listen().then(url => ({ url, apiKey }))
      return address
    },
    fail: ({ event, times, status = 503, ...answer } = {}) =>
      script.add({ status: statusBetween(400, 599, status), ...answer }, scopeOf(event, times)),
    refuse: (status, scope = {}) => script.add({ status: statusBetween(400, 499, status) }, scope),
    quota: ({ event, times, retryAfter } = {}) =>
      script.add({ status: 429, ...(retryAfter === undefined ? {} : { retryAfter }) }, scopeOf(event, times)),
    slow: (milliseconds, scope = {}) => script.add({ slow: milliseconds }, scope),
    hang: (scope = {}) => script.add('hang', scope),
    cut: (scope = {}) => script.add('cut', scope),
    cutAfterStoring: (scope = {}) => script.add('cut after storing', { times: 1, ...scope }),
    recover: () => script.clear(),
    close: async () => {
      script.clear()
      await server.close()
      address = undefined
    },
  }
}

function nameOf(item: LedgerItem | EventRefusal): string {
  // A caller in-process may hand over anything; whether it is an event is for the rules to say.
  const name: unknown = item instanceof EventRefusal ? undefined : item.meta?.event_name
  return typeof name === 'string' ? name : ''
}

function scopeOf(event: string | undefined, times: number | undefined): FailureScope {
  return { ...(event === undefined ? {} : { event }), ...(times === undefined ? {} : { times }) }
}

/** @throws RangeError for a status that a script of this kind cannot answer */
function statusBetween(least: number, most: number, status: number): number {
  if (Number.isInteger(status) && status >= least && status <= most) return status
  throw new RangeError(`The status of this failure is ${least} to ${most}, and not ${status}.`)
}

/** A call's outcome as the client of a ledger tells it: what may be taken later is no result but a rejection. */
function readOutcome(outcome: CallOutcome, count: number): LedgerResult[] {
  if (outcome === 'cut') throw new LedgerUnavailable('the connection was cut')
  if ('results' in outcome)
    return outcome.results.map(result => ('ok' in result ? result : notStored(result)))
  const { status, retryAfter, reason } = problemFields(outcome.answer)
  if (isTemporary(status)) throw new LedgerUnavailable(`it answered ${status} (${reason})`, { retryAfter })
  return Array.from({ length: count }, () => notStored(outcome.answer))
}

function notStored(refused: NotStored): LedgerResult {
  const { status, reason, message, retryAfter } = problemFields(refused)
  return {
    ok: false,
    reason,
    message,
    retryable: isTemporary(status),
    // The ledger in the same process knows no statuses; a script speaks of one.
    ...(refused instanceof EventRefusal ? {} : { status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

function problemFields(refused: NotStored): {
  status: number
  reason: string
  message: string
  retryAfter: number | undefined
} {
  const { status, reason, message, headers } = problemOf(refused)
  const seconds = headers['retry-after']
  return { status, reason, message, retryAfter: seconds === undefined ? undefined : Number(seconds) * 1000 }
}

function isTemporary(status: number): boolean {
  return status < 400 || status === 408 || status === 425 || status >= 500
}
