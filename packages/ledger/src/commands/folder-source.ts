import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseCheckpoint, parseNote } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { LedgerView } from '../ledger-view.ts'
import { producerPage } from '../producers/index.ts'
import type { CountRequest, EventCounts } from '../search/index.ts'
import { defaultGuardFolder, readGuard } from '../sequencer/index.ts'
import { type HeadRow, openSqliteReader } from '../store/index.ts'
import { dataFolder } from './data-folder.ts'
import type { LedgerSource } from './ledger-source.ts'

/**
 * The ledger of a data folder, opened for reading only; its server may be running.
 *
 * @param argument the folder or the database file; undefined: the folder that the environment names
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `storage_failed`
 */
export function openFolderSource(argument: string | undefined, env: NodeJS.ProcessEnv): LedgerSource {
  const isFile = argument !== undefined && statSync(argument, { throwIfNoEntry: false })?.isFile() === true
  const place = isFile ? resolve(argument) : dataFolder(argument, env).folder
  const database = isFile ? place : dataFolder(argument, env).database
  if (!existsSync(database)) {
    throw new LedgerError(
      'not_a_ledger',
      `There is no ledger at ${database}. Name its folder with --data, or a running ledger with --url.`,
    )
  }
  const reader = openSqliteReader(database)
  const row = reader.ledgers().find(ledger => ledger.kind === 'events')
  if (row === undefined) {
    reader.close()
    throw new LedgerError('unknown_ledger', `${database} holds no ledger of events.`)
  }
  const view = new LedgerView(reader, row.ledgerId)
  // Counting here holds up nobody, but a command should not run for minutes unasked either.
  const count = (request: CountRequest) => view.count({ ...request, scanLimit: 1_000_000 })
  return {
    search: async query => view.search(query),
    async *follow(query, signal) {
      for await (const { events } of view.follow(query, signal)) yield* events
    },
    async export(query, signal) {
      const made = view.export(query)
      return { from: made.from, to: made.to, pieces: inTurns(made.pieces(), signal) }
    },
    async histogram(query) {
      const counts = await count(query)
      const buckets = counts.buckets.map(({ from, count, byType }) => ({
        from: new Date(from).toISOString(),
        count,
        by_type: byType,
      }))
      return { ...coverageOf(counts), buckets }
    },
    async facets(query, fields, limit) {
      const counts = await count({ ...query, fields })
      return fields.map(field => {
        const values = counts.values.get(field) ?? []
        return { ...coverageOf(counts), field, values: values.slice(0, limit), different: values.length }
      })
    },
    async producers(filters) {
      return producerPage(filters, query => reader.producers(row.ledgerId, query), Date.now())
    },
    async facts() {
      // The guard first: a ledger that is written meanwhile must not look as if it were behind.
      const guard = guardNote(row.origin, env)
      const head = reader.head(row.ledgerId)
      return {
        place,
        origin: row.origin,
        fileBytes: bytesOf(database) + bytesOf(`${database}-wal`),
        checkpoint: reader.publishedCheckpoint(row.ledgerId),
        apiKeys: reader.apiKeyCount(row.ledgerId),
        guard: guardState(guard, head),
      }
    },
    close() {
      view.close()
      reader.close()
    },
  }
}

function coverageOf({
  from,
  to,
  complete,
  counted,
}: EventCounts): Pick<EventCounts, 'from' | 'to' | 'complete' | 'counted'> {
  return { from, to, complete, counted }
}

/** The pieces of an export, with room between them for signals and for the progress bar. */
async function* inTurns(pieces: Iterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (signal.aborted) throw signal.reason
    yield piece
    await nextTurn()
  }
}

function guardNote(origin: string, env: NodeJS.ProcessEnv): string | null | 'off' | undefined {
  const folder = env.DEEDBOX_GUARD || defaultGuardFolder(env)
  if (folder === 'off') return 'off'
  try {
    return existsSync(folder) ? readGuard(resolve(folder), origin) : null
  } catch {
    return undefined
  }
}

/** A first look: whether the guard's checkpoint is signed and extended is for verification to say. */
function guardState(note: string | null | 'off' | undefined, head: HeadRow): { good: boolean; says: string } {
  if (note === 'off') return { good: false, says: 'off' }
  if (note === null) return { good: false, says: 'none on this machine' }
  const guard = note === undefined ? undefined : sizeAndRoot(note)
  if (guard === undefined) return { good: false, says: 'cannot be read' }
  if (guard.size > head.size) {
    return { good: false, says: `at ${guard.size}: this file is older than what was signed last` }
  }
  if (guard.size < head.size)
    return { good: true, says: `at ${guard.size}, ${head.size - guard.size} behind the file` }
  const same = Buffer.compare(guard.root, head.root) === 0
  return same
    ? { good: true, says: 'agrees with the file' }
    : { good: false, says: 'of another history: run "deedbox verify --data …"' }
}

function sizeAndRoot(note: string): { size: number; root: Uint8Array } | undefined {
  try {
    return parseCheckpoint(parseNote(note).text)
  } catch {
    return undefined
  }
}

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
