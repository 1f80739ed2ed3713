import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { type SqliteCheckDatabase, sqlite } from 'deedbox/health'
import { checkedService } from './rounds.ts'

/** An open database, whichever library opened it. */
interface Opened extends SqliteCheckDatabase {
  exec(sql: string): unknown
  close(): unknown
}

/** The libraries: how they open a file, what they call their errors, and what they say of a closed database. */
const libraries: Readonly<Record<string, { open(path: string): Opened; codes: string[]; closed: string }>> = {
  'node:sqlite': {
    open: path => new DatabaseSync(path, { timeout: 0 }),
    codes: ['ERR_SQLITE_ERROR', 'ERR_SQLITE_ERROR'],
    closed: 'database is not open',
  },
  'better-sqlite3': {
    open: path => new Database(path, { timeout: 0 }),
    codes: ['SQLITE_NOTADB', 'SQLITE_BUSY'],
    closed: 'The database connection is not open',
  },
}

function file(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-checks-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'shop.db')
}

for (const [library, { open, codes, closed }] of Object.entries(libraries)) {
  test(`DF-25 DF-28 sqlite, ${library}: an open database is well, a closed one is the fault of the service`, async t => {
    const database = open(file(t))
    const { heartbeat, said } = await checkedService(t, [sqlite(database)])
    assert.deepEqual((await heartbeat()).checks, { check_database_connected: 'ok' })
    database.close()
    assert.deepEqual(await said(), [`dockerflow.health.E009 Database misconfigured: ${closed}`])
  })

  test(`DF-25 sqlite, ${library}: a file that is no database, and one that is locked, are told`, async t => {
    const path = file(t)
    writeFileSync(path, 'this is a text, and by no means a database of SQLite'.repeat(100))
    const text = open(path)
    const broken = await checkedService(t, [sqlite(text)])
    assert.deepEqual(await broken.said(), [
      `dockerflow.health.E008 Database driver error: file is not a database (${codes[0]})`,
    ])
    const other = file(t)
    const writer = open(other)
    writer.exec('CREATE TABLE orders (id INTEGER); BEGIN EXCLUSIVE')
    const reader = open(other)
    const locked = await checkedService(t, [sqlite(reader)])
    assert.deepEqual(await locked.said(), [
      `deedbox.health.W241 Database driver error: database is locked (${codes[1]})`,
    ])
    assert.equal((await locked.heartbeat()).code, 200)
    writer.exec('COMMIT')
    assert.deepEqual(await locked.said(), [])
    // A lock of a moment: it is given back once the check has met it.
    writer.exec('BEGIN EXCLUSIVE')
    let asked = 0
    const watched = {
      prepare: (sql: string) => {
        if (++asked === 2) writer.exec('COMMIT')
        return reader.prepare(sql)
      },
    }
    assert.deepEqual(await (await checkedService(t, [sqlite(watched)])).said(), [])
    assert.equal(asked, 2)
    for (const each of [text, writer, reader]) each.close()
  })
}

test('DF-25 sqlite: what is no database is refused', () => {
  for (const given of [undefined, 'shop.db', {}])
    assert.throws(() => sqlite(given as never), /^ConfigurationError: sqlite\(\): takes an open database/)
})
