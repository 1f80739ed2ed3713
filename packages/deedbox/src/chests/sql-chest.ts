import { errorMessage } from '../safety/index.ts'
import {
  type CheckMessage,
  ChestError,
  type ChestLogger,
  type ChestQueueOptions,
  type ContextEntry,
  type EntryFilter,
  type ReadableChest,
  type StoredEntry,
} from '../tracking/index.ts'
import { entryOf, isForeign, type ReadRow, type SqlRow, sqlRows, type TablePlace } from './sql-row.ts'
import { withinTime } from './within-time.ts'

/**
 * One kind of SQL server and one table of it, as the chest needs them. What takes a connection is done in a transaction on
 * it.
 */
export interface SqlDialect<Connection> {
  /** Takes a connection of the pool, which is opened when it is needed first. */
  acquire(): Promise<Connection>
  /** @param isBroken whether nobody may use it again */
  release(connection: Connection, isBroken: boolean): void
  /** Closes a pool of our own. */
  close(): Promise<void>
  begin(connection: Connection): Promise<void>
  commit(connection: Connection): Promise<void>
  /** Creates what is not there. Others may be doing the same. */
  migrate(connection: Connection): Promise<void>
  /** Stores those rows whose `entry_id` is not there. */
  insert(connection: Connection, rows: readonly SqlRow[]): Promise<void>
  /** Does what `insert` does, for no row. */
  tryInsert(connection: Connection): Promise<void>
  /** In the order in which they were written; with a filter the newest of them. */
  read(connection: Connection, limit: number, filter: EntryFilter | undefined): Promise<ReadRow[]>
  /** `undefined` where it was not migrated. */
  place(connection: Connection): Promise<TablePlace | undefined>
  remove(connection: Connection, keys: readonly number[]): Promise<number>
  count(connection: Connection): Promise<number>
  lease(connection: Connection, holder: string, milliseconds: number): Promise<boolean>
  giveBack(connection: Connection, holder: string): Promise<void>
  holder(connection: Connection): Promise<string | undefined>
  /** Deletes rows that are older, so many at most. Resolves to how many those were. */
  expire(connection: Connection, days: number, portion: number): Promise<number>
  /** `schema`: a table or column is not there. `refused`: these values will never be stored. */
  faultOf(error: unknown): 'schema' | 'refused' | 'unavailable'
}

/** What a chest in a server is made of, beside its dialect. */
export interface SqlChestParts {
  readonly id: string
  readonly address: string | undefined
  readonly queue: ChestQueueOptions
  readonly logger: ChestLogger | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly retentionDays: number | undefined
  /** Milliseconds for a connection, and for each transaction. */
  readonly timeout: number
}

/** Rows that are deleted at once because of their age. */
const portion = 1_000
const hour = 3_600_000
/** How often the milliseconds of a transaction are what a migration may take: large tables are rebuilt. */
const migrationShare = 20
const longestCheck = 3_000
const longestClose = 5_000

/** A chest in a table of a database server. */
export class SqlChest<Connection> implements ReadableChest {
  readonly id: string
  readonly address: string | undefined
  readonly queue: ChestQueueOptions
  readonly logger: ChestLogger | undefined
  readonly #dialect: SqlDialect<Connection>
  readonly #tags: SqlChestParts['tags']
  readonly #retentionDays: number | undefined
  readonly #timeout: number
  /** Of the monotonic clock. */
  #nextExpiry = 0
  #expiring: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(dialect: SqlDialect<Connection>, parts: SqlChestParts) {
    this.id = parts.id
    this.address = parts.address
    this.queue = parts.queue
    this.logger = parts.logger
    this.#dialect = dialect
    this.#tags = parts.tags
    this.#retentionDays = parts.retentionDays
    this.#timeout = parts.timeout
  }

  async write(entries: readonly ContextEntry[]): Promise<void> {
    if (entries.length === 0) return
    const rows = sqlRows(entries, this.id, this.#tags)
    await this.#run(connection => this.#dialect.insert(connection, rows))
    this.#expireSoon()
  }

  async check(): Promise<CheckMessage[]> {
    try {
      const timeout = Math.min(this.#timeout, longestCheck)
      await this.#run(connection => this.#dialect.tryInsert(connection), timeout, timeout)
      return []
    } catch (error) {
      return [{ id: 'deedbox.chest.unreachable', level: 'error', message: errorMessage(error) }]
    }
  }

  async find(filter: EntryFilter, limit: number): Promise<StoredEntry[]> {
    return this.#read(limit, filter)
  }

  async oldest(limit: number): Promise<StoredEntry[]> {
    return this.#read(limit)
  }

  async remove(keys: readonly StoredEntry['key'][]): Promise<number> {
    const numbers = keys.map(Number).filter(Number.isSafeInteger)
    if (numbers.length === 0) return 0
    return this.#run(connection => this.#dialect.remove(connection, numbers))
  }

  async count(): Promise<number> {
    return this.#run(connection => this.#dialect.count(connection))
  }

  async lease(holder: string, milliseconds: number): Promise<boolean> {
    return this.#run(connection => this.#dialect.lease(connection, holder, milliseconds))
  }

  async release(holder: string): Promise<void> {
    await this.#run(connection => this.#dialect.giveBack(connection, holder))
  }

  async holder(): Promise<string | undefined> {
    return this.#run(connection => this.#dialect.holder(connection))
  }

  async close(): Promise<void> {
    this.#closing ??= (async () => {
      const whole = (async () => {
        await this.#expiring
        await this.#dialect.close()
      })()
      try {
        await withinTime(whole, longestClose, 'The server did not say goodbye')
      } catch (error) {
        this.#warn(`${this.id} was not closed in order: ${errorMessage(error)}`)
      }
    })()
    return this.#closing
  }

  async #read(limit: number, filter?: EntryFilter): Promise<StoredEntry[]> {
    return this.#run(async connection => {
      const rows = await this.#dialect.read(connection, limit, filter)
      return rows.some(isForeign) ? this.#foreign(connection, rows) : rows.map(row => entryOf(row))
    })
  }

  async #foreign(connection: Connection, rows: readonly ReadRow[]): Promise<StoredEntry[]> {
    let place = await this.#dialect.place(connection)
    if (place === undefined) {
      await this.#dialect.migrate(connection)
      place = await this.#dialect.place(connection)
    }
    return rows.map(row => entryOf(row, place))
  }

  /**
   * Does something in a transaction; where the table is not there, or not any more, creates it and tries once more.
   * @throws ChestError
   */
  async #run<Result>(
    work: (connection: Connection) => Promise<Result>,
    timeout = this.#timeout,
    migration = timeout * migrationShare,
  ): Promise<Result> {
    if (this.#closing !== undefined) throw new ChestError('unavailable', this.id, 'it is closed.')
    try {
      return await this.#transaction(work, timeout)
    } catch (error) {
      if (this.#dialect.faultOf(error) !== 'schema') throw this.#told(error)
    }
    try {
      await this.#transaction(connection => this.#dialect.migrate(connection), migration)
      return await this.#transaction(work, timeout)
    } catch (error) {
      throw this.#told(error)
    }
  }

  async #transaction<Result>(
    work: (connection: Connection) => Promise<Result>,
    timeout: number,
  ): Promise<Result> {
    const dialect = this.#dialect
    const connection = await withinTime(
      dialect.acquire(),
      Math.min(timeout, this.#timeout),
      'There was no connection',
      late => dialect.release(late, false),
    )
    try {
      const whole = (async () => {
        await dialect.begin(connection)
        const result = await work(connection)
        await dialect.commit(connection)
        return result
      })()
      const result = await withinTime(whole, timeout, 'The server did not answer')
      dialect.release(connection, false)
      return result
    } catch (error) {
      // Its transaction may be open.
      dialect.release(connection, true)
      throw error
    }
  }

  #told(error: unknown): ChestError {
    if (error instanceof ChestError) return error
    const code = this.#dialect.faultOf(error) === 'refused' ? 'refused' : 'unavailable'
    // Drivers put the statement and the row there, with what is stored.
    if (error instanceof Error)
      for (const data of ['sql', 'detail', 'where']) Reflect.deleteProperty(error, data)
    return new ChestError(code, this.id, `${errorMessage(error)}${remedy(error)}`, { cause: error })
  }

  /** Rows that are too old go meanwhile: no write waits for it. */
  #expireSoon(): void {
    const days = this.#retentionDays
    if (days === undefined || this.#expiring !== undefined || performance.now() < this.#nextExpiry) return
    this.#expiring = (async () => {
      try {
        const gone = await this.#run(connection => this.#dialect.expire(connection, days, portion))
        this.#nextExpiry = performance.now() + (gone === portion ? 0 : hour)
      } catch (error) {
        this.#nextExpiry = performance.now() + hour
        this.#warn(`Entries older than ${days} days were not deleted: ${errorMessage(error)}`)
      } finally {
        this.#expiring = undefined
      }
    })()
  }

  #warn(message: string): void {
    try {
      this.logger?.warn(message, { chest: this.id })
    } catch {
      // It had its chance.
    }
  }
}

/** OpenSSL's words, which drivers pass on under codes of their own. */
const untrusted = /self-signed certificate|unable to (?:get|verify) .*certificate/i

function remedy(error: unknown): string {
  if (/BINLOG_FORMAT = STATEMENT/i.test(errorMessage(error)))
    return '. Set binlog_format of the server to ROW or MIXED: writes are READ COMMITTED, which it does not log as statements'
  if (!untrusted.test(errorMessage(error))) return ''
  return ". Nobody whom this process trusts vouches for the server's certificate: give it, or its authority's, with tls: { ca }; tls: { verify: false } accepts any"
}
