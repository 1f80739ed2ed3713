import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { ChestError, type ReadableChest, sqlite } from 'deedbox/chests'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { aService } from './service-suite.ts'
import { rowsOf } from './sqlite-rows.ts'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-chests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A file as Flask-Chest leaves it, written by hand, and a connection that stays open as its process does. */
function ofFlaskChest(t: TestContext, file: string): DatabaseSync {
  const original = new DatabaseSync(file)
  t.after(() => original.close())
  original.exec(`CREATE TABLE flask_chest (
    unique_id INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT, name TEXT, value TEXT)`)
  for (const [id, name, value] of [
    ['20240131120000', 'user_id', '123'],
    ['20240131120000', 'total_time', 0.1],
    ['20240131120001', 'user_id', null],
  ] as const)
    original
      .prepare('INSERT INTO flask_chest (request_id, name, value) VALUES (?, ?, ?)')
      .run(id, name, value)
  return original
}

const told = (chest: ReadableChest) => async (): Promise<unknown[]> =>
  (await chest.oldest(100)).map(({ entry: [name, value, requestId] }) => [name, value, requestId])

test('FC-22 a table of Flask-Chest is migrated, its rows are read, and it may go on writing', async t => {
  const file = join(temporaryFolder(t), 'db.sqlite3')
  const original = ofFlaskChest(t, file)
  const chest = sqlite(file)
  t.after(() => chest.close())
  const old = [
    ['user_id', '123', '20240131120000'],
    ['total_time', '0.1', '20240131120000'],
    ['user_id', null, '20240131120001'],
  ]
  assert.deepEqual(await told(chest)(), old)
  await chest.write(entriesOf(aRecord({ requestId: 'new' }), [['total_time', 0.5]]))
  original
    .prepare('INSERT INTO flask_chest (request_id, name, value) VALUES (?, ?, ?)')
    .run('20240131120002', 'user_id', '7')
  const all = [...old, ['total_time', 0.5, 'new'], ['user_id', '7', '20240131120002']]
  assert.deepEqual(await told(chest)(), all)
  assert.deepEqual(
    original
      .prepare('SELECT name, value, request_id FROM flask_chest')
      .all()
      .map(row => Object.values(row)),
    all.map(([name, value, id]) => [name, value === null ? null : String(value), id]),
  )
})

test('FC-22 FC-28 rows without an id have one that stays, and is of their file alone', async t => {
  const folder = temporaryFolder(t)
  const read = async (file: string) => {
    const chest = sqlite(join(folder, file))
    const stored = await chest.oldest(10)
    await chest.close()
    return stored
  }
  for (const file of ['one.db', 'other.db']) ofFlaskChest(t, join(folder, file))
  const [first, again, other] = [await read('one.db'), await read('one.db'), await read('other.db')]
  assert.deepEqual(again, first)
  const all = [...first, ...other]
  assert.equal(new Set(all.map(({ entry }) => entry.record.id)).size, 6)
  assert.equal(new Set(first.map(({ entry }) => entry.timestamp)).size, 3)
  const target = sqlite(join(folder, 'target.db'))
  t.after(() => target.close())
  for (const { entry } of [...all, ...all]) await target.write([entry])
  assert.equal(await target.count(), 6)
})

test('FC-23 two chests with two tables share a file, and neither redirects the other', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  const [one, other] = [sqlite(file, { name: 'one' }), sqlite(file, { name: 'other' })]
  t.after(() => Promise.all([one.close(), other.close()]))
  await one.write(entriesOf(aRecord(), [['k', { k: 1 }]]))
  await other.write(
    entriesOf(aRecord(), [
      ['n', 2],
      ['m', 3],
    ]),
  )
  await one.write(entriesOf(aRecord(), [['l', [4]]]))
  const values = (table: string) => rowsOf(new DatabaseSync(file), table).map(({ value }) => value)
  assert.deepEqual(
    [values('one'), values('other')],
    [
      [{ k: 1 }, [4]],
      [2, 3],
    ],
  )
  assert.equal(await one.lease('one', 60_000), true)
  assert.equal(await other.lease('other', 60_000), true)
})

test('FC-22 a database that the caller has open is written outside of its transactions, and stays open', async t => {
  const database = new DatabaseSync(':memory:')
  t.after(() => database.close())
  const chest = sqlite(database, { name: 'variables' })
  database.exec('CREATE TABLE own (a); BEGIN')
  database.exec('INSERT INTO own VALUES (1)')
  const writing = chest.write(entriesOf(aRecord(), [['n', 1]]))
  await new Promise(setImmediate)
  database.exec('ROLLBACK')
  await writing
  assert.equal(await chest.count(), 1)
  await chest.close()
  assert.deepEqual({ ...database.prepare('SELECT COUNT(*) AS n FROM own').get() }, { n: 0 })
})

test('FC-22 what is older than its days is deleted in portions, and nothing else', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  ofFlaskChest(t, file)
  const [day, now] = [86_400_000_000, Date.now() * 1_000]
  const keeping = sqlite(file)
  const names = Array.from({ length: 1_700 }, (_, n) => [`n${n}`, n] as const)
  await keeping.write(entriesOf(aRecord({ timestamp: now - 31 * day }), names))
  await keeping.write(entriesOf(aRecord({ timestamp: now - 29 * day }), [['young', 1]]))
  await keeping.close()
  const chest = sqlite(file, { retentionDays: 30 })
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord({ timestamp: now }), [['new', 2]]))
  await eventually(async () => (await chest.count()) === 5)
  assert.deepEqual(
    (await chest.oldest(10)).map(({ entry }) => entry.name),
    ['user_id', 'total_time', 'user_id', 'young', 'new'],
  )
  // The rows of Flask-Chest are as old as their migration; of those that it wrote since, nobody knows.
  const client = new DatabaseSync(file)
  client.prepare('UPDATE deedbox_chests SET adopted_at = ?').run(now - 31 * day)
  client.exec("INSERT INTO flask_chest (request_id, name, value) VALUES ('20260131120000', 'since', '1')")
  client.close()
  const later = sqlite(file, { retentionDays: 30 })
  t.after(() => later.close())
  await later.write(entriesOf(aRecord({ timestamp: now }), [['newer', 3]]))
  await eventually(async () => (await chest.count()) === 4)
  assert.deepEqual(
    (await chest.oldest(10)).map(({ entry }) => entry.name),
    ['young', 'new', 'since', 'newer'],
  )
})

test('FC-22 rows of a table whose keys are given again, or of one that was adopted by an older version, stay', async t => {
  const [day, now] = [86_400_000_000, Date.now() * 1_000]
  const row = "INSERT INTO flask_chest (request_id, name, value) VALUES ('20240131120000', 'old', '1')"
  const tables: Record<string, (database: DatabaseSync) => void> = {
    'no AUTOINCREMENT': database => {
      database.exec('CREATE TABLE flask_chest (unique_id INTEGER PRIMARY KEY, request_id, name, value)')
      database.exec(row)
    },
    'an older version': database => {
      database.exec(`CREATE TABLE flask_chest (
        unique_id INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT, name TEXT, value TEXT, type TEXT,
        created_at INTEGER, entry_id TEXT, route TEXT, method TEXT, status INTEGER, error TEXT,
        service TEXT, env TEXT, tags TEXT)`)
      database.exec(`CREATE TABLE deedbox_chests (
        chest TEXT PRIMARY KEY, place TEXT NOT NULL, adopted_at INTEGER NOT NULL,
        holder TEXT, held_from INTEGER, held_until INTEGER)`)
      database.exec("INSERT INTO deedbox_chests (chest, place, adopted_at) VALUES ('flask_chest', 'p', 1)")
      database.exec(row)
    },
  }
  for (const [name, made] of Object.entries(tables)) {
    const file = join(temporaryFolder(t), 'vars.db')
    const client = new DatabaseSync(file)
    made(client)
    const keeping = sqlite(file)
    await keeping.write(entriesOf(aRecord({ timestamp: now - 31 * day }), [['gone', 1]]))
    await keeping.close()
    client.prepare('UPDATE deedbox_chests SET adopted_at = ?').run(now - 31 * day)
    client.close()
    const chest = sqlite(file, { retentionDays: 30 })
    t.after(() => chest.close())
    await chest.write(entriesOf(aRecord({ timestamp: now }), [['new', 2]]))
    await eventually(async () => (await chest.oldest(9)).every(({ entry }) => entry.name !== 'gone'))
    const names = (await chest.oldest(9)).map(({ entry }) => entry.name)
    assert.deepEqual(names, ['old', 'new'], name)
  }
})

test('FC-22 a table that was dropped and made anew by Flask-Chest is adopted anew', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  const ids: string[] = []
  for (let n = 0; n < 2; n++) {
    const original = ofFlaskChest(t, file)
    const chest = sqlite(file)
    ids.push(...(await chest.oldest(9)).map(({ entry }) => entry.id))
    await chest.close()
    original.exec('DROP TABLE flask_chest')
  }
  assert.equal(new Set(ids).size, 6)
})

test('FC-24 a file that was moved away or whose table was dropped is made again, and nothing is lost', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  const { box } = aService(t, sqlite(file))
  const work = async (n: number): Promise<void> => {
    box.run({ name: 'job' }, () => box.set({ n }))
    await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === n)
  }
  await work(1)
  renameSync(file, `${file}.old`)
  await work(2)
  assert.deepEqual(
    rowsOf(new DatabaseSync(file), 'flask_chest').map(({ value }) => value),
    [2],
  )
  const other = new DatabaseSync(file)
  other.exec('DROP TABLE flask_chest')
  other.close()
  await work(3)
  assert.deepEqual(
    rowsOf(new DatabaseSync(file), 'flask_chest').map(({ value }) => value),
    [3],
  )
})

test('FC-24 what is no database, no folder, or another table, is told, and tried again', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'text'), 'This is no database, though it is long enough to be one. '.repeat(100))
  const other = new DatabaseSync(join(folder, 'other.db'))
  other.exec('CREATE TABLE flask_chest (id, name)')
  other.close()
  const cases: [string, RegExp][] = [
    ['text', /not a database/],
    ['nowhere/vars.db', /unable to open/],
    ['other.db', /another program's: it has no column unique_id, request_id, value/],
  ]
  for (const [name, problem] of cases) {
    const chest = sqlite(join(folder, name))
    const [message] = await chest.check()
    assert.match(message?.message ?? '', problem)
    assert(message?.message.includes(`${chest.id}: ${join(folder, name)} `))
    const writing = chest.write(entriesOf(aRecord(), [['n', 1]]))
    await assert.rejects(writing, error => error instanceof ChestError && error.code === 'unavailable')
  }
  assert.equal(
    new DatabaseSync(join(folder, 'other.db')).prepare('PRAGMA table_info(flask_chest)').all().length,
    2,
  )
})

test('FC-24 an entry that the database itself refuses is refused alone', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  const chest = sqlite(file)
  const { box } = aService(t, chest)
  assert.deepEqual(await chest.check(), [])
  const owner = new DatabaseSync(file)
  owner.exec(`CREATE TRIGGER no_secrets BEFORE INSERT ON flask_chest WHEN NEW.name = 'bad'
    BEGIN SELECT RAISE(ABORT, 'not here'); END`)
  owner.close()
  // A write stands or falls as one.
  const mixed = entriesOf(
    aRecord(),
    ['a', 'bad', 'b'].map(name => [name, 1] as const),
  )
  await assert.rejects(chest.write(mixed), error => error instanceof ChestError && error.code === 'refused')
  assert.equal(await chest.count(), 0)
  for (const name of ['a', 'bad', 'b']) box.run({ name: 'job' }, () => box.set({ [name]: 1 }))
  await box.flush()
  const { delivered, rejected } = box.stats().chests[0]!
  assert.deepEqual({ delivered, rejected }, { delivered: 2, rejected: 1 })
})

test('FC-29 a lease from a clock that was set back since is over', async t => {
  const file = join(temporaryFolder(t), 'vars.db')
  const [one, other] = [sqlite(file), sqlite(file)]
  t.after(() => Promise.all([one.close(), other.close()]))
  assert.equal(await one.lease('one', 60_000), true)
  const client = new DatabaseSync(file)
  client.exec('UPDATE deedbox_chests SET held_from = held_from + 9e9, held_until = held_until + 9e9')
  client.close()
  assert.equal(await other.lease('other', 60_000), true)
})
