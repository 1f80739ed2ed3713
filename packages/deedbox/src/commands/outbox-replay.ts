import { setTimeout as wait } from 'node:timers/promises'
import {
  addDeadLetters,
  claim,
  type DeadLetter,
  deadLetter,
  type LedgerItem,
  type LedgerResult,
  makeProducerFolder,
  openSpool,
  orphansIn,
  type ProducerFolder,
  removeSpool,
  SignWatch,
  seemsSilent,
  sift,
  silentAfter,
} from '../audit/index.ts'
import { uuid7 } from '../request/index.ts'
import { errorMessage } from '../safety/index.ts'
import type { Taker } from './outbox-taker.ts'
import { nameIn, type OutboxGroup } from './outbox-view.ts'

/** What came of one event. */
export interface Replayed {
  readonly key: string
  readonly name: string
  readonly outcome: 'stored' | 'already there' | 'refused' | 'not sent'
  /** Why, where it was not taken. */
  readonly why: string
}

/** What a replay is told. */
export interface ReplayOrder {
  readonly taker: Pick<Taker, 'name' | 'client'>
  /** Dead letters with these keys only, and nothing that waits; all if undefined. */
  readonly keys: ReadonlySet<string> | undefined
  /** Told what came of each event. */
  readonly tell: (replayed: Replayed) => void
}

/** Events of one call at most, and tries before a ledger counts as not answering. */
const mostAtOnce = 100
const tries = 3

/** Sends what a group holds, and removes what was taken. @returns whether all of it was */
export async function replay(group: OutboxGroup, order: ReplayOrder): Promise<boolean> {
  const home = makeProducerFolder({ ...group, name: group.ledger }, uuid7())
  const sender = new Sender(order.taker, order.tell)
  try {
    await sift(group.folder, home.path, async lines => {
      const chosen = lines.filter(({ letter }) => letter !== undefined && isChosen(letter, order.keys))
      const stay = new Set(lines.filter(line => !chosen.includes(line)))
      for (let from = 0; from < chosen.length; from += sender.batch) {
        const part = chosen.slice(from, from + sender.batch)
        const results = await sender.send(part.map(({ letter }) => itemOf(letter as DeadLetter)))
        part.forEach((line, i) => {
          if (results[i]?.ok !== true) stay.add(line)
        })
      }
      return lines.filter(line => stay.has(line))
    })
    if (order.keys === undefined) await replayOrphans(group, home, sender)
  } finally {
    home.leave(true)
  }
  return sender.tookAll
}

/** Removes dead letters. @returns how many */
export async function drop(group: OutboxGroup, keys: ReadonlySet<string> | undefined): Promise<number> {
  const home = makeProducerFolder({ ...group, name: group.ledger }, uuid7())
  let dropped = 0
  try {
    await sift(group.folder, home.path, async lines => {
      const stay = lines.filter(({ letter }) => letter === undefined || !isChosen(letter, keys))
      dropped += lines.length - stay.length
      return stay
    })
  } finally {
    home.leave(true)
  }
  return dropped
}

/**
 * What dead processes left; what the ledger refuses for good becomes a dead letter, as a service would have it. Those that
 * cannot be seen from here are watched first, as a service does: a clock alone would take the spool of a living one.
 */
async function replayOrphans(group: OutboxGroup, home: ProducerFolder, sender: Sender): Promise<void> {
  const signs = new SignWatch()
  const isSilent = (folder: string): boolean => signs.isSilent(folder)
  for (const name of await orphansIn(group.folder, isSilent)) await replaySpool(group, name, home, sender)
  const { length } = await orphansIn(group.folder, seemsSilent)
  if (length === 0 || sender.isStopped) return
  process.stderr.write(
    `The owners of ${length} spools cannot be seen from here. Watched for ${silentAfter / 1_000} s, whether they live\n`,
  )
  await wait(silentAfter + 1_000)
  for (const name of await orphansIn(group.folder, isSilent)) await replaySpool(group, name, home, sender)
}

async function replaySpool(
  group: OutboxGroup,
  name: string,
  home: ProducerFolder,
  sender: Sender,
): Promise<void> {
  for (const { path } of await claim(group.folder, name, home.path)) {
    const { cursor, files } = await openSpool(path)
    for (
      let part = await cursor.next(sender.batch);
      part.length > 0 && !sender.isStopped;
      part = await cursor.next(sender.batch)
    ) {
      const results = await sender.send(part.map(({ event }) => event))
      const refused: DeadLetter[] = []
      part.forEach(({ event, place }, i) => {
        const result = results[i]
        if (result === undefined) return
        if (!result.ok) refused.push(deadLetter(event, result))
        files.settle(place)
      })
      if (refused.length > 0) addDeadLetters(group.folder, home.path, refused)
      if (files.hasMarks) await files.write([], true)
    }
    files.close()
    if (files.waiting === 0) removeSpool(path)
  }
}

function isChosen(letter: DeadLetter, keys: ReadonlySet<string> | undefined): boolean {
  return keys?.has(letter.idempotency_key) ?? true
}

function itemOf(letter: DeadLetter): LedgerItem {
  const { payload, meta, idempotency_key: idempotencyKey, request_id: requestId } = letter
  return { payload, meta, idempotencyKey, requestId }
}

/** Sends batches, tries again when a ledger does not answer, and stops for good when that is of no use. */
class Sender {
  readonly #taker: ReplayOrder['taker']
  readonly #tell: (replayed: Replayed) => void
  /** Events of one call. A chest that posts each has a time for all of them, and says how many it can do in it. */
  readonly batch: number
  #stop: string | undefined
  tookAll = true

  constructor(taker: ReplayOrder['taker'], tell: (replayed: Replayed) => void) {
    this.#taker = taker
    this.#tell = tell
    this.batch = Math.min(mostAtOnce, taker.client.batchSize ?? mostAtOnce)
  }

  get isStopped(): boolean {
    return this.#stop !== undefined
  }

  /** One result per event; `undefined` for one that may be taken later. */
  async send(items: readonly LedgerItem[]): Promise<(LedgerResult | undefined)[]> {
    const results = await this.#attempt(items)
    return items.map((item, i) => {
      const result = results[i]
      const isFinal = result !== undefined && (result.ok || (!result.retryable && result.status !== 429))
      if (result?.ok !== true) this.tookAll = false
      if (result?.ok === false && result.status === 429) this.#stop = result.message
      this.#tell({
        key: item.idempotencyKey ?? '',
        name: nameIn(item.meta),
        outcome: !isFinal
          ? 'not sent'
          : !result.ok
            ? 'refused'
            : result.duplicate
              ? 'already there'
              : 'stored',
        why:
          result === undefined ? (this.#stop ?? '') : result.ok ? '' : `${result.message} (${result.reason})`,
      })
      return isFinal ? result : undefined
    })
  }

  async #attempt(items: readonly LedgerItem[]): Promise<readonly LedgerResult[]> {
    for (let nth = 1; this.#stop === undefined; nth++) {
      try {
        return await this.#taker.client.appendBatch(items)
      } catch (error) {
        if (nth === tries) this.#stop = `${this.#taker.name} does not answer: ${errorMessage(error)}`
        else await wait(nth * 500)
      }
    }
    return []
  }
}
