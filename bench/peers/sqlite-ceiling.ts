import { rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { openForWriting } from '../../packages/ledger/src/store/sqlite/connection.ts'

// What SQLite itself can do with a ledger's rows: a stored ledger is read, and the very same rows are inserted into
// a new file of the same tables, indexes and settings (the ledger's own code makes and opens it), in transactions of
// the same size. Everything else is done before the clock starts.
// Arguments: the stored ledger, the new file, events in a transaction, transactions before the clock starts.

const [from = '', to = '', sizeText, warmText] = process.argv.slice(2)
const size = Number(sizeText)
const warm = Number(warmText)
const indexesPerLedger = 2 ** 40
const pragmas = [
  'journal_mode',
  'synchronous',
  'page_size',
  'auto_vacuum',
  'secure_delete',
  'cache_size',
  'wal_autocheckpoint',
  'journal_size_limit',
  'fullfsync',
  'checkpoint_fullfsync',
  'foreign_keys',
]

type Row = Record<string, SQLInputValue>
interface Insert {
  sql: string
  /** By transaction. */
  rows: SQLInputValue[][][]
}

const source = new DatabaseSync(from, { readOnly: true })
const target = openForWriting(to)
const inserts: Insert[] = []
/** How many leaves the tree has. */
const leaves = Number(source.prepare('SELECT max(size) AS size FROM heads').get()?.size ?? 0)
/** Leaves that were there before the first batch: the API key's. They go with it. */
const lead = leaves % size
const transactions = Math.floor(leaves / size)

for (const { name } of source.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
  const table = String(name)
  if (table.startsWith('sqlite_')) continue
  const columns = source
    .prepare(`PRAGMA table_info(${table})`)
    .all()
    .map(column => String(column.name))
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
  if (table === 'tiles') {
    inserts.push({
      sql: `${sql} ON CONFLICT DO UPDATE SET hashes = excluded.hashes`,
      rows: tileWrites(columns),
    })
    continue
  }
  const key = columns.find(column => column === 'position' || column === 'idx')
  const rows = source
    .prepare(`SELECT * FROM ${table} ${key === undefined ? '' : `ORDER BY ${key}`}`)
    .all() as Row[]
  if (key !== undefined) {
    const byTransaction: SQLInputValue[][][] = []
    for (const row of rows) {
      const at = transactionOf(Number(row[key]) % indexesPerLedger)
      byTransaction[at] ??= []
      byTransaction[at].push(columns.map(column => row[column]!))
    }
    inserts.push({ sql, rows: byTransaction })
    continue
  }
  // What is not written once for each event is there before the clock starts.
  if (rows.length > 1_000)
    throw new Error(`The table ${table} grows with the events; say here how it is written.`)
  const insert = target.prepare(sql)
  for (const row of rows) insert.run(...columns.map(column => row[column]!))
}

function transactionOf(index: number): number {
  return Math.max(0, Math.floor((index - lead) / size))
}

/** The size of the tree after so many transactions. */
function leavesAfter(done: number): number {
  return done === 0 ? 0 : lead + done * size
}

/** As the ledger writes them: each transaction replaces the tiles of every level that it made longer. */
function tileWrites(columns: string[]): SQLInputValue[][][] {
  const stored = source.prepare('SELECT * FROM tiles').all() as Row[]
  const writes: SQLInputValue[][][] = []
  for (const tile of stored) {
    const perHash = 256 ** Number(tile.level)
    for (let at = 0; at < transactions; at++) {
      const width = (size: number) =>
        Math.min(256, Math.max(0, Math.floor(size / perHash) - Number(tile.n) * 256))
      const [before, after] = [width(leavesAfter(at)), width(leavesAfter(at + 1))]
      if (after <= before) continue
      const hashes = (tile.hashes as Uint8Array).subarray(0, after * 32)
      const values = columns.map(column => (column === 'hashes' ? hashes : tile[column]!))
      writes[at] = [...(writes[at] ?? []), values]
    }
  }
  return writes
}

const statements = inserts.map(({ sql, rows }) => ({ insert: target.prepare(sql), rows }))
const moveHead = target.prepare('UPDATE heads SET size = ?')
let events = 0
let started = 0
let cpu = process.cpuUsage()
for (let at = 0; at < transactions; at++) {
  if (at === warm) {
    started = performance.now()
    cpu = process.cpuUsage()
    events = 0
  }
  target.exec('BEGIN IMMEDIATE')
  for (const { insert, rows } of statements) for (const row of rows[at] ?? []) insert.run(...row)
  moveHead.run(leavesAfter(at + 1))
  target.exec('COMMIT')
  events += size
}
const seconds = (performance.now() - started) / 1000
const { user, system } = process.cpuUsage(cpu)
const settings = Object.fromEntries(
  pragmas.map(name => [name, Object.values(target.prepare(`PRAGMA ${name}`).get() ?? {})[0]]),
)
target.close()
source.close()
for (const end of ['', '-wal', '-shm']) rmSync(to + end, { force: true })
process.stdout.write(
  JSON.stringify({ events, seconds, cpuSeconds: (user + system) / 1e6, pragmas: settings }),
)
