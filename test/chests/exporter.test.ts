import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createExporter, httpWriter, type ReadableChest, sqlite } from 'deedbox/chests'
import { root, run, tempFolder } from '../end-to-end/ledger-process.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { recordingServer } from './recording-server.ts'

function opened(t: TestContext, file: string, tags: Record<string, string>): ReadableChest {
  const chest = sqlite(file, { tags })
  t.after(() => chest.close())
  return chest
}

test('FC-25 FC-27 FC-28 SQLite to SQLite: times, facts, ids and tags come along, to the database and on', async t => {
  const folder = tempFolder(t)
  const from = opened(t, join(folder, 'a.db'), { app: 'shop', place: 'a' })
  const to = opened(t, join(folder, 'b.db'), { place: 'b' })
  const record = aRecord({ error: 'it broke', status: 500 })
  await from.write(entriesOf(record, [['n', 1]]))
  await from.write(entriesOf(aRecord(), [['list', [{ a: null }]]]))
  const before = await from.oldest(10)
  await createExporter({ from, to }).runOnce()
  const [first, second] = await to.oldest(10)
  assert.deepEqual(
    [first?.entry.id, first?.entry.timestamp, first?.entry.record],
    [before[0]?.entry.id, record.timestamp, record],
  )
  assert.deepEqual([second?.entry.value, second?.entry.id], [[{ a: null }], before[1]?.entry.id])
  assert.deepEqual({ ...first?.tags }, { app: 'shop', place: 'b' })
  const server = await recordingServer()
  t.after(() => server.halt())
  const writer = httpWriter({ url: server.origin, tags: { hop: '2' } })
  t.after(() => writer.close())
  await createExporter({ from: to, to: writer }).runOnce()
  assert.deepEqual(
    server.requests.map(({ headers, body }) => [
      JSON.parse(String(headers['deedbox-tags'])),
      JSON.parse(body),
    ]),
    [
      [{ app: 'shop', place: 'b', hop: '2' }, [['n', 1, record.requestId]]],
      [{ app: 'shop', place: 'b', hop: '2' }, [['list', [{ a: null }], second?.entry.requestId]]],
    ],
  )
  assert.equal(await to.count(), 0)
})

test('FC-22 FC-27 rows of the original are exported, each with a time and an identity of its own', async t => {
  const file = join(tempFolder(t), 'db.sqlite3')
  const original = new DatabaseSync(file)
  original.exec(`CREATE TABLE flask_chest (
unique_id INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT, name TEXT, value TEXT);
INSERT INTO flask_chest (request_id, name, value) VALUES ('r1', 'user_id', '42'), ('r1', 'total', '0.5')`)
  original.close()
  const from = opened(t, file, {})
  const to = opened(t, `${file}.out`, {})
  // The answer of the first write is lost: what comes again is there already.
  const forgetful = {
    ...to,
    id: 'Own(name=forgetful)',
    check: () => to.check(),
    close: () => to.close(),
    write: async (entries: Parameters<typeof to.write>[0]) => {
      await to.write(entries)
      throw new Error('the connection broke')
    },
  }
  await assert.rejects(createExporter({ from, to: forgetful }).runOnce(), /the connection broke/)
  assert.deepEqual([await from.count(), await to.count()], [2, 2])
  await createExporter({ from, to }).runOnce()
  assert.equal(await from.count(), 0)
  const rows = await to.oldest(10)
  assert.deepEqual(
    rows.map(({ entry }) => [...entry]),
    [
      ['user_id', '42', 'r1'],
      ['total', '0.5', 'r1'],
    ],
  )
  assert.equal(new Set(rows.map(({ entry }) => entry.timestamp)).size, 2)
})

test('FC-28 a chest is not exported into its own table by another path', async t => {
  const folder = tempFolder(t)
  const from = opened(t, join(folder, 'a.db'), {})
  await from.write(entriesOf(aRecord(), [['n', 1]]))
  symlinkSync(join(folder, 'a.db'), join(folder, 'link.db'))
  const to = opened(t, join(folder, 'link.db'), {})
  await assert.rejects(createExporter({ from, to }).runOnce(), /is the place that SQLite/)
  assert.equal(await from.count(), 1)
})

test('FC-28 FC-29 six sources go into one chest at once, and from there on, and nobody finds another at work', async t => {
  const folder = tempFolder(t)
  const target = join(folder, 'team.db')
  await opened(t, target, {}).count()
  const sources = Array.from({ length: 6 }, (_, n) => opened(t, join(folder, `${n}.db`), {}))
  for (const from of sources) await from.write(entriesOf(aRecord(), [['n', 1]]))
  const runs = sources.map(from => createExporter({ from, to: opened(t, target, {}) }).runOnce())
  const done = { outcome: 'done', moved: 1, refused: 0, left: 0 }
  assert.deepEqual(await Promise.all(runs), Array(6).fill(done))
  const onward = createExporter({ from: opened(t, target, {}), to: opened(t, join(folder, 'c.db'), {}) })
  assert.deepEqual(await onward.runOnce(), { ...done, moved: 6 })
})

test('FC-28 an HTTP target that is down, then back: all arrive once', async t => {
  const folder = tempFolder(t)
  const from = opened(t, join(folder, 'a.db'), {})
  for (let n = 0; n < 60; n++) await from.write(entriesOf(aRecord({ requestId: `r${n}` }), [['n', n]]))
  const server = await recordingServer()
  t.after(() => server.halt())
  await server.halt()
  const to = httpWriter({ url: server.origin })
  t.after(() => to.close())
  const exporter = createExporter({ from, to, intervalMs: 50, keepAlive: true })
  exporter.start()
  t.after(() => exporter.stop())
  await eventually(() => exporter.stats().failed > 1)
  assert.equal(await from.count(), 60)
  await server.start()
  await eventually(async () => (await from.count()) === 0)
  assert.deepEqual(
    server.requests.map(({ body }) => JSON.parse(body)[0][2]).sort(),
    Array.from({ length: 60 }, (_, n) => `r${n}`).sort(),
  )
})

test('FC-26 FC-30 a plain script that starts exporters ends by itself, whatever their schedule', async t => {
  const folder = tempFolder(t)
  const program = `
    import { createExporter, sqlite } from 'deedbox/chests'
    const [from, to] = ['a.db', 'b.db'].map(file => sqlite(process.argv[1] + '/' + file))
    createExporter({ from, to, intervalMs: 60_000 }).start()
    createExporter({ from, to, cron: '*/5 * * * *', timeZone: 'Europe/Berlin' }).start()
    console.log('started')`
  const args = ['--conditions=@deedbox/source', '--input-type=module', '--eval', program, folder]
  assert.deepEqual(await run(process.execPath, args, { cwd: root }), {
    code: 0,
    stdout: 'started\n',
    stderr: '',
  })
})
