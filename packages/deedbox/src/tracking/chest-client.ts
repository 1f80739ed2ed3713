import { setTimeout as wait } from 'node:timers/promises'
import { type LedgerClient, type LedgerItem, type LedgerResult, LedgerUnavailable } from '../audit/index.ts'
import { errorMessage } from '../safety/index.ts'
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
 */
export function chestClient(chest: Chest, timeout: number = longestWrite): LedgerClient {
  const append = async (items: readonly LedgerItem[]): Promise<LedgerResult[]> => {
    if (items.length === 0) return []
    try {
      await writeTold(chest, items.flatMap(entriesOf), timeout)
      return items.map(stored)
    } catch (error) {
      if (!(error instanceof ChestError)) throw new LedgerUnavailable(errorMessage(error), { cause: error })
      const { retryAfter, message } = error
      const answers = new Map<LedgerItem, LedgerResult>()
      for (const item of items) {
        const known = knownOf(error, item)
        if (known !== undefined) answers.set(item, known)
      }
      const left = items.filter(item => !answers.has(item))
      if (error.code !== 'refused') {
        if (answers.size === 0) throw new LedgerUnavailable(message, { retryAfter, cause: error })
        for (const item of left) answers.set(item, later(new LedgerUnavailable(message, { retryAfter })))
        return items.map(item => answers.get(item)!)
      }
      const isNamed = [...answers.values()].some(({ ok }) => !ok)
      if (left.length === 1 && !isNamed) answers.set(left[0]!, refused('refused', message, false))
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
  return error.refused?.has(id) ? refused('refused', error.message, false) : undefined
}

function halves(items: readonly LedgerItem[]): (readonly LedgerItem[])[] {
  const half = Math.ceil(items.length / 2)
  return [items.slice(0, half), items.slice(half)]
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
): Promise<void> {
  const before = writing.get(chest)
  const write = (): Promise<void> => writeNow(chest, entries, timeout)
  const turn = before === undefined ? write() : before.then(write)
  const over = turn.catch(() => undefined)
  writing.set(chest, over)
  void over.then(() => {
    if (writing.get(chest) === over) writing.delete(chest)
  })
  return turn
}

async function writeNow(chest: Chest, entries: readonly ContextEntry[], timeout: number): Promise<void> {
  const start = performance.now()
  const milliseconds = (): number => Math.round((performance.now() - start) * 100) / 100
  try {
    await inTime(chest, chest.write(entries), timeout)
  } catch (error) {
    tell(() =>
      chest.logger?.warn(`${chest.id} did not take ${entries.length} entries: ${errorMessage(error)}`, {
        chest: chest.id,
        entries: entries.length,
        milliseconds: milliseconds(),
      }),
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
  const isOver = new AbortController()
  const end = wait(timeout, undefined, { ref: false, signal: isOver.signal }).then(() => {
    throw new ChestError('unavailable', chest.id, `a write has not come back for ${timeout / 1_000} s`)
  })
  try {
    await Promise.race([written, end])
  } finally {
    end.catch(() => {})
    isOver.abort()
  }
}

/** A logger that throws is no reason to write anything twice. */
function tell(work: () => void): void {
  try {
    work()
  } catch {
    // It had its chance.
  }
}

function entriesOf({ payload, idempotencyKey = '', requestId = '' }: LedgerItem): ContextEntry[] {
  return entriesIn(payload, idempotencyKey, requestId)
}

function stored(): LedgerResult {
  return { ok: true, txId: '', payloadHash: '', duplicate: false }
}

function later(error: unknown): LedgerResult {
  const { retryAfter } = error instanceof LedgerUnavailable ? error : {}
  return {
    ...refused('unavailable', errorMessage(error), true),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

function refused(reason: string, message: string, retryable: boolean): Extract<LedgerResult, { ok: false }> {
  return { ok: false, reason, message, retryable }
}
