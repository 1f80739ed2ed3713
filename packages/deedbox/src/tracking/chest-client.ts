import {
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
  SendError,
} from '../audit/index.ts'
import { createRedactor, errorMessage, type Redactor } from '../safety/index.ts'
import type { Chest, ContextEntry } from './chest.ts'
import { ChestError } from './chest-error.ts'
import { entriesIn } from './tracked-payload.ts'

/** Requests of one write, unless the chest says otherwise. */
const usualBatch = 256

/** Milliseconds after which a write that has not come back counts as failed. */
const longestWrite = 30_000

/**
 * A chest as the delivery knows it: what it takes are the texts of `trackedPayload`. A write that is refused is divided until
 * it is known which requests it is about, unless the chest says so itself. (Ruling 25)
 * @param timeout milliseconds that a write may take
 * @param redact for what the chest's own logger is told
 */
export function chestClient(chest: Chest, timeout: number = longestWrite, redact?: Redact): LedgerClient {
  const append = async (items: readonly LedgerItem[]): Promise<LedgerResult[]> => {
    if (items.length === 0) return []
    try {
      await writeTold(chest, entriesOf(items), timeout, redact)
      return items.map(stored)
    } catch (error) {
      if (!(error instanceof ChestError)) throw unavailable(error)
      const answers = new Map<LedgerItem, LedgerResult>()
      for (const item of items) {
        const known = knownOf(error, item)
        if (known !== undefined) answers.set(item, known)
      }
      const left = items.filter(item => !answers.has(item))
      if (error.code !== 'refused') {
        if (answers.size === 0) throw unavailable(error)
        for (const item of left) answers.set(item, later(unavailable(error)))
        return items.map(item => answers.get(item)!)
      }
      const isNamed = [...answers.values()].some(({ ok }) => !ok)
      if (left.length === 1 && !isNamed) answers.set(left[0]!, refused(error))
      // What the other part was told must not get lost with this one.
      else
        for (const part of isNamed ? [left] : halves(left))
          (await append(part).catch(error => part.map(() => later(error)))).forEach((result, i) => {
            answers.set(part[i]!, result)
          })
      return items.map(item => answers.get(item)!)
    }
  }
  return { batchSize: chest.queue?.batch ?? usualBatch, appendBatch: append }
}

/** What a failed write says of one request. */
function knownOf(error: ChestError, { idempotencyKey: id = '' }: LedgerItem): LedgerResult | undefined {
  if (error.taken.has(id)) return stored()
  // Another copy of this package may not know of it.
  return error.refused?.has(id) ? refused(error) : undefined
}

function halves(items: readonly LedgerItem[]): (readonly LedgerItem[])[] {
  const half = Math.ceil(items.length / 2)
  return [items.slice(0, half), items.slice(half)]
}

type Redact = Redactor['text']

let usual: Redactor | undefined

/** For writes of no instance. */
function usualRedact(text: string): string {
  usual ??= createRedactor()
  return usual.text(text)
}

/** The last write of each chest: queues and waiting responses write to it one after the other. */
const writing = new WeakMap<Chest, Promise<void>>()

/**
 * Writes once it is its turn, and has the chest's own logger told.
 * @throws ChestError `unavailable` for a write that has not come back in time; else what the chest throws
 */
export function writeTold(
  chest: Chest,
  entries: readonly ContextEntry[],
  timeout: number = longestWrite,
  redact: Redact = usualRedact,
): Promise<void> {
  const before = writing.get(chest)
  const write = (): Promise<void> => writeNow(chest, entries, timeout, redact)
  const turn = before === undefined ? write() : before.then(write)
  const over = turn.catch(() => undefined)
  writing.set(chest, over)
  void over.then(() => {
    if (writing.get(chest) === over) writing.delete(chest)
  })
  return turn
}

async function writeNow(
  chest: Chest,
  entries: readonly ContextEntry[],
  timeout: number,
  redact: Redact,
): Promise<void> {
  const start = performance.now()
  const milliseconds = (): number => Math.round((performance.now() - start) * 100) / 100
  try {
    await inTime(chest, chest.write(entries), timeout)
  } catch (error) {
    tell(() =>
      chest.logger?.warn(
        redact(`${chest.id} did not take ${entries.length} entries: ${errorMessage(error)}`),
        {
          chest: chest.id,
          entries: entries.length,
          milliseconds: milliseconds(),
        },
      ),
    )
    throw error
  }
  tell(() =>
    chest.logger?.debug(`${chest.id} took ${entries.length} entries`, {
      chest: chest.id,
      entries: entries.length,
      milliseconds: milliseconds(),
    }),
  )
}

/** What comes of it later is nobody's concern: it is written again, and stored once. */
async function inTime(chest: Chest, written: Promise<void>, timeout: number): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const problem = `a write has not come back for ${timeout / 1_000} s`
  const timer = setTimeout(() => reject(new ChestError('unavailable', chest.id, problem)), timeout)
  timer.unref()
  try {
    await Promise.race([written, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A logger that fails, now or later, is no reason to write anything twice, or to end the process. */
function tell(work: () => unknown): void {
  try {
    const result = work()
    if (typeof Object(result).then === 'function') Promise.resolve(result).catch(() => {})
  } catch {
    // It had its chance.
  }
}

/** What is to be written twice, because it was adopted or tried twice, is written once. */
function entriesOf(items: readonly LedgerItem[]): ContextEntry[] {
  const ids = new Set<string>()
  return items.flatMap(({ payload, idempotencyKey = '', requestId = '' }) => {
    if (ids.has(idempotencyKey)) return []
    if (idempotencyKey !== '') ids.add(idempotencyKey)
    return entriesIn(payload, idempotencyKey, requestId)
  })
}

function stored(): LedgerResult {
  return { ok: true, txId: '', payloadHash: '', duplicate: false }
}

function unavailable(error: unknown): LedgerUnavailable {
  const { retryAfter } = error instanceof ChestError ? error : {}
  return new LedgerUnavailable(errorMessage(error), { retryAfter, cause: error })
}

/** A failure, and what the chest failed with. */
type Failed = Extract<LedgerResult, { ok: false }> & { readonly thrown: unknown }

function later(error: unknown): Failed {
  const { retryAfter, cause = error } = error instanceof LedgerUnavailable ? error : {}
  const how = retryAfter === undefined ? {} : { retryAfter }
  return {
    ok: false,
    reason: 'unavailable',
    message: errorMessage(error),
    retryable: true,
    ...how,
    thrown: cause,
  }
}

function refused(error: ChestError): Failed {
  return { ok: false, reason: 'refused', message: error.message, retryable: false, thrown: error }
}

/** What whoever waited for this outcome is to be told; nothing where the chest has it. */
export function failureOf(outcome: LedgerResult | Error, { id }: Chest): ChestError | undefined {
  if (!(outcome instanceof Error) && outcome.ok) return undefined
  const thrown = outcome instanceof LedgerUnavailable ? outcome.cause : Object(outcome).thrown
  if (thrown instanceof ChestError) return thrown
  if (outcome instanceof SendError) {
    const problem = outcome.code === 'closed' ? 'this instance is closed' : 'too much waits for it'
    return new ChestError('unavailable', id, problem)
  }
  const error: unknown = thrown ?? outcome
  return new ChestError('unavailable', id, errorMessage(error), { cause: error })
}
