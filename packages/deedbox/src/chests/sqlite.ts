import { setImmediate, setTimeout } from 'node:timers/promises'
import { errorMessage } from '../safety/index.ts'
import {
  type CheckMessage,
  ChestError,
  type ChestErrorCode,
  type ContextEntry,
  type EntryFilter,
  type ReadableChest,
  type StoredEntry,
} from '../tracking/index.ts'
import { type ChestOptions, type ChestParts, checkWhole, chestParts } from './chest-options.ts'
import { checkedIdentifier } from './identifier.ts'
import {
  fileOf,
  inTransaction,
  kindOf,
  openFile,
  openToRead,
  type SqliteConnection,
  type SqlitePlace,
  sqlitePlace,
} from './sqlite-connection.ts'
import { isMoved, leaveMoved, type OpenFile, openFileAt, setAside } from './sqlite-moved.ts'
import { lookInto, SqliteTable } from './sqlite-table.ts'

export type { SqliteConnection, SqliteStatement, SqliteValue } from './sqlite-connection.ts'

/** How tracked variables are kept in SQLite. */
export interface SqliteChestOptions extends ChestOptions {
  /** The table, as in the original. Default `flask_chest`, so that its data stays readable. (FC-22) */
  readonly name?: string | undefined
  /** Days after which entries are deleted, a few at a time. Default: never. */
  readonly retentionDays?: number | undefined
}

/** Requests of one write: other work waits for as long as it takes, and no round trip is saved by more. */
const usualBatch = 32
/** Milliseconds for which a write is repeated while somebody else writes; then it is up to the queue. */
const patience = 2_000
/** Rows that are deleted at once for their age: well below a millisecond each time. */
const portion = 500
const hour = 3_600_000
const noSqlite = 'this Node has no node:sqlite. Hand over a Database of better-sqlite3'
const dayInMicroseconds = 86_400_000_000

/**
 * Tracked variables in a file of SQLite: one row for each, one transaction for each write. (FC-22, FC-23)
 * @param file a path, `sqlite:vars.db`, a file URL, or an open database of `node:sqlite` or `better-sqlite3`, which stays
 * the caller's to close. Files are opened when they are first needed, in WAL mode
 * @throws ConfigurationError naming the option that cannot be
 */
export function sqlite(
  file: string | URL | SqliteConnection = 'db.sqlite3',
  options: SqliteChestOptions = {},
): ReadableChest {
  const parts = chestParts('sqlite()', options, ['retentionDays'])
  const table = checkedIdentifier('sqlite(): name', options.name ?? 'flask_chest')
  checkWhole('sqlite(): retentionDays', options.retentionDays, 1, 36_500)
  return new SqliteChest(sqlitePlace('sqlite()', file), table, parts, options.retentionDays)
}

interface OpenTable {
  readonly database: SqliteConnection
  readonly table: SqliteTable
  /** Where it is one of ours to open. */
  readonly files?: OpenFile | undefined
}

class SqliteChest implements ReadableChest {
  readonly id: string
  readonly address: string
  readonly queue: ReadableChest['queue']
  readonly logger: ReadableChest['logger']
  readonly #place: SqlitePlace
  readonly #file: string | undefined
  readonly #tableName: string
  readonly #tags: string
  readonly #retentionDays: number | undefined
  #open: OpenTable | undefined
  #isClosed = false
  #sweepAt = 0

  constructor(
    place: SqlitePlace,
    table: string,
    { queue, logger, tags }: ChestParts,
    retentionDays: number | undefined,
  ) {
    this.id = `SQLite(name=${table})`
    this.#place = place
    this.#file = fileOf(place)
    this.address = this.#file ?? 'memory'
    this.queue = { ...queue, batch: queue.batch ?? usualBatch }
    this.logger = logger
    this.#tableName = table
    this.#tags = JSON.stringify(tags)
    this.#retentionDays = retentionDays
  }

  async write(entries: readonly ContextEntry[]): Promise<void> {
    if (entries.length === 0) return
    await this.#do(({ database, table }) => inTransaction(database, () => table.insert(entries, this.#tags)))
    // Nothing is waited for in a write. While a backlog is written, other work needs its turns all the same.
    await setImmediate()
    if (this.#retentionDays !== undefined && Date.now() >= this.#sweepAt)
      void this.#sweep(this.#retentionDays)
  }

  async check(): Promise<CheckMessage[]> {
    try {
      await this.#do(({ database }) => inTransaction(database, () => {}))
      return []
    } catch (error) {
      return [
        {
          id: 'deedbox.chest.unreachable',
          level: 'error',
          message: errorMessage(error),
          hint: 'Look whether the file and its folder are there, may be written, and are not locked by another program.',
        },
      ]
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    try {
      await this.#tried(() => this.#leaveIfMoved())
    } catch (error) {
      this.#setAside(error)
    } finally {
      this.#letGo()
    }
  }

  find(filter: EntryFilter, limit: number): Promise<StoredEntry[]> {
    if (this.#open !== undefined || this.#file === undefined || 'database' in this.#place)
      return this.#do(({ table }) => table.find(filter, limit))
    return this.#look(this.#file, filter, limit)
  }

  oldest(limit: number): Promise<StoredEntry[]> {
    return this.#do(({ table }) => table.oldest(limit))
  }

  remove(keys: readonly StoredEntry['key'][]): Promise<number> {
    return this.#do(({ database, table }) => inTransaction(database, () => table.remove(keys)))
  }

  count(): Promise<number> {
    return this.#do(({ table }) => table.count())
  }

  lease(holder: string, milliseconds: number): Promise<boolean> {
    return this.#do(({ database, table }) =>
      inTransaction(database, () => {
        // Of a time before the transaction, a lease that another process took meanwhile would seem to begin later than now.
        const now = Date.now()
        return table.lease(holder, now, now + milliseconds)
      }),
    )
  }

  release(holder: string): Promise<void> {
    return this.#do(({ database, table }) => inTransaction(database, () => table.release(holder)))
  }

  holder(): Promise<string | undefined> {
    return this.#do(({ table }) => table.holder())
  }

  /** Whoever only looks changes nothing in a file, which may be another program's. */
  async #look(file: string, filter: EntryFilter, limit: number): Promise<StoredEntry[]> {
    try {
      return await this.#tried(() => {
        const database = openToRead(file)
        if (database === undefined) throw this.#failure('driver_missing', noSqlite)
        try {
          return lookInto(database, this.#tableName, filter, limit)
        } finally {
          database.close()
        }
      })
    } catch (error) {
      if (error instanceof ChestError) throw error
      throw this.#failure('unavailable', errorMessage(error), error)
    }
  }

  /** Does something with the open table. */
  async #do<Result>(work: (open: OpenTable) => Result): Promise<Result> {
    try {
      return await this.#tried(() => work(this.#opened()))
    } catch (error) {
      if (error instanceof ChestError) throw error
      const kind = kindOf(error)
      // Whatever is wrong may be gone with a connection that is made anew; what is in memory would be gone, too.
      if (kind === 'other' && this.#file !== undefined && !this.#isMoved) this.#letGo()
      throw this.#failure(kind === 'refused' ? 'refused' : 'unavailable', errorMessage(error), error)
    }
  }

  /** SQLite would block the process while another one writes; here it is tried again between other work. */
  async #tried<Result>(work: () => Result): Promise<Result> {
    const last = performance.now() + patience
    for (;;) {
      try {
        return work()
      } catch (error) {
        if (kindOf(error) !== 'busy' || performance.now() >= last) throw error
      }
      await setTimeout(1 + 20 * Math.random())
    }
  }

  #opened(): OpenTable {
    if (this.#isClosed) throw new ChestError('unavailable', this.id, 'it is closed')
    this.#leaveIfMoved()
    this.#open ??= this.#openAnew()
    return this.#open
  }

  get #isMoved(): boolean {
    return this.#open?.files !== undefined && isMoved(this.#open.files)
  }

  /** A file that was deleted or replaced would go on taking rows, which nobody would ever read. */
  #leaveIfMoved(): void {
    if (this.#open?.files === undefined || !this.#isMoved) return
    leaveMoved(this.#open.database, this.#open.files)
    this.#letGo()
  }

  /** Keeps what could not go with a moved file from whatever has its name when it is opened next. */
  #setAside(cause: unknown): void {
    const aside = this.#open?.files && setAside(this.#open.files)
    if (aside === undefined) return
    const problem = `${this.address} was moved, and its last rows could not follow: ${errorMessage(cause)}.`
    const hint = `They are in ${aside}. Put it beside the moved file, under that file's name with -wal.`
    this.logger?.warn(`${this.id}: ${problem} ${hint}`, { chest: this.id })
  }

  #openAnew(): OpenTable {
    if ('database' in this.#place) {
      const { database } = this.#place
      return { database, table: this.#tableIn(database) }
    }
    const opened = openFile(this.#place.file)
    if (opened === undefined) throw this.#failure('driver_missing', noSqlite)
    const { database, was } = opened
    try {
      const table = this.#tableIn(database)
      if (this.#file === undefined) return { database, table }
      const files = openFileAt(this.#file)
      if (files.identity === was || was === undefined) return { database, table, files }
      throw Object.assign(new Error('it was moved while it was opened'), { code: 'SQLITE_BUSY' })
    } catch (error) {
      database.close()
      throw error
    }
  }

  #tableIn(database: SqliteConnection): SqliteTable {
    const table = new SqliteTable(database, this.#tableName)
    if (this.#retentionDays !== undefined) table.indexTimes()
    return table
  }

  #letGo(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined && 'file' in this.#place) open.database.close()
  }

  #failure(code: ChestErrorCode, problem: string, cause?: unknown): ChestError {
    return new ChestError(code, this.id, `${this.address} cannot be used: ${problem}`, { cause })
  }

  /** Deletes what is too old, in portions between other work. What fails is done an hour later. */
  async #sweep(days: number): Promise<void> {
    this.#sweepAt = Date.now() + hour
    try {
      for (let deleted = portion; deleted === portion && !this.#isClosed; await setTimeout(1)) {
        const before = Date.now() * 1_000 - days * dayInMicroseconds
        deleted = await this.#do(({ database, table }) =>
          inTransaction(database, () => table.expire(before, portion)),
        )
      }
    } catch (error) {
      if (this.#isClosed) return
      this.logger?.warn(`${this.id} did not delete what is too old: ${errorMessage(error)}`, {
        chest: this.id,
      })
    }
  }
}
