import {
  type Chest,
  ChestError,
  type ContextEntry,
  contextEntry,
  type StoredEntry,
  writeTold,
} from '../tracking/index.ts'

/** All stored entries of one request: they are written together, or not at all. */
export type StoredRecord = readonly StoredEntry[]

/** What came of a batch. */
export interface BatchOutcome {
  /** What the target has confirmed. */
  readonly taken: StoredEntry[]
  /** What it will never take. */
  readonly refused: StoredEntry[]
  /** The last of its reasons. */
  reason?: ChestError
  /** Why the rest was not taken yet. */
  failure?: { readonly error: unknown }
}

/**
 * Brings the rows of each request together. The one at the end may go on behind it, and is left for later, unless it is the
 * only one.
 * @param most rows that are wanted; the others only complete their requests
 * @param isAll whether nothing comes behind the last row
 */
export function wholeRecords(rows: readonly StoredEntry[], most: number, isAll: boolean): StoredRecord[] {
  const records = new Map<string, StoredEntry[]>()
  rows.forEach((row, i) => {
    const { id } = row.entry.record
    const known = records.get(id)
    if (known !== undefined) known.push(row)
    else if (i < most) records.set(id, [row])
  })
  const last = rows.at(-1)?.entry.record.id
  if (!isAll && last !== undefined && records.size > 1) records.delete(last)
  return [...records.values()]
}

/** Writes a batch. One that is refused is divided until it is known which requests it is about. (FC-28) */
export async function writeBatch(to: Chest, records: readonly StoredRecord[]): Promise<BatchOutcome> {
  const outcome: BatchOutcome = { taken: [], refused: [] }
  // A chest that posts each request has a time for a write, and says how many it can do in it.
  const most = to.queue?.batch ?? records.length
  for (let from = 0; from < records.length && outcome.failure === undefined; from += most)
    await writePart(to, records.slice(from, from + most), outcome)
  return outcome
}

async function writePart(to: Chest, records: readonly StoredRecord[], outcome: BatchOutcome): Promise<void> {
  try {
    await writeTold(to, records.flat().map(withTags))
    outcome.taken.push(...records.flat())
  } catch (error) {
    if (!(error instanceof ChestError)) {
      outcome.failure = { error }
      return
    }
    const isIn = (ids: ReadonlySet<string>, [row]: StoredRecord): boolean =>
      row !== undefined && ids.has(row.entry.record.id)
    outcome.taken.push(...records.filter(record => isIn(error.taken, record)).flat())
    const refused = records.filter(record => isIn(error.refused, record))
    if (refused.length > 0) {
      outcome.refused.push(...refused.flat())
      outcome.reason = error
    }
    const left = records.filter(record => !isIn(error.taken, record) && !isIn(error.refused, record))
    if (left.length === 0) return
    if (error.code !== 'refused') outcome.failure = { error }
    else if (refused.length > 0) await writePart(to, left, outcome)
    else if (left.length === 1) {
      outcome.refused.push(...left.flat())
      outcome.reason = error
    } else {
      const half = Math.ceil(left.length / 2)
      for (const part of [left.slice(0, half), left.slice(half)])
        if (part.length > 0 && outcome.failure === undefined) await writePart(to, part, outcome)
    }
  }
}

/** An entry with the tags that its chest had it with. */
function withTags({ entry, tags }: StoredEntry): ContextEntry {
  if (Object.keys(tags).length === 0) return entry
  const { record, id, name, value } = entry
  return contextEntry({ ...record, tags }, Number(id.slice(record.id.length + 1)), name, value)
}
