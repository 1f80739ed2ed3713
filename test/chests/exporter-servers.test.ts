import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  createExporter,
  type ExporterOptions,
  influx,
  isReadable,
  openChest,
  type ReadableChest,
  sqlite,
} from 'deedbox/chests'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { influxdb } from '../servers/influxdb.ts'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { type RunningServer, serverFor } from '../servers/running-server.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { influxql, storedIn } from './influx-reading.ts'
import { mysqlHarness, url as mysqlUrl, skip as noMysql } from './mysql-harness.ts'
import { skip as noPostgres, postgresHarness, url as postgresUrl } from './postgres-harness.ts'

const mongoServer = await serverFor(mongod, ferretdb())
const influxServer = await serverFor(influxdb())

type Halting = Pick<RunningServer, 'halt' | 'start'>

/** A source with entries of every type, and all that is known of them. */
async function source(t: TestContext): Promise<{ from: ReadableChest; written: unknown[] }> {
  const from = sqlite(join(tempFolder(t), 'vars.db'), { tags: { app: 'shop' } })
  t.after(() => from.close())
  for (let n = 0; n < 25; n++)
    await from.write(
      entriesOf(aRecord({ status: n % 2 === 0 ? 200 : 500, error: n % 2 === 0 ? null : 'it broke' }), [
        ['text', `é 🦊 ${n}`],
        ['number', n / 8],
        ['flag', n % 2 === 0],
        ['nothing', null],
        ['list', [1, { 'a.$b': [null, ''] }]],
      ]),
    )
  return { from, written: await whole(from) }
}

async function whole(chest: ReadableChest): Promise<unknown[]> {
  const rows = await chest.oldest(1_000)
  return rows
    .map(({ entry, tags }) => ({ id: entry.id, entry: [...entry], record: entry.record, tags: { ...tags } }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Runs an exporter until nothing is left, while its target goes away and comes back. */
async function exportAcrossOutage(t: TestContext, options: ExporterOptions, server: Halting): Promise<void> {
  const exporter = createExporter({ ...options, batchSize: 10, intervalMs: 100, keepAlive: true })
  await server.halt()
  await assert.rejects(exporter.runOnce(), { name: 'ChestError', code: 'unavailable' })
  assert.equal(await options.from.count(), 125)
  exporter.start()
  t.after(() => exporter.stop())
  await server.start()
  await eventually(async () => (await options.from.count()) === 0)
  await exporter.stop()
  assert.equal(exporter.stats().moved, 125)
}

for (const { name, skip, url, server } of [
  {
    name: 'PostgreSQL',
    skip: noPostgres,
    url: `${postgresUrl}?table=exported`,
    server: postgresHarness.server,
  },
  { name: 'MariaDB', skip: noMysql, url: `${mysqlUrl}?table=exported`, server: mysqlHarness.server },
  {
    name: 'MongoDB',
    skip: mongoServer.skip,
    url: mongoServer.skip === false ? `mongodb://127.0.0.1:${mongoServer.server.port}/exported` : '',
    server: mongoServer.skip === false ? mongoServer.server : undefined,
  },
])
  test(`FC-24 FC-25 FC-27 FC-28 SQLite to ${name}, which is down first, and back: nothing changes, nothing is lost`, {
    skip,
  }, async t => {
    const { from, written } = await source(t)
    const middle = await openChest(url)
    t.after(() => middle.close())
    assert(isReadable(middle) && server !== undefined)
    await exportAcrossOutage(t, { from, to: middle }, server)
    const back = sqlite(join(tempFolder(t), 'back.db'))
    t.after(() => back.close())
    await createExporter({ from: middle, to: back }).runOnce()
    assert.deepEqual(await whole(back), written)
    assert.equal(await middle.count(), 0)
  })

test('FC-27 FC-28 SQLite to InfluxDB, which is down first: each point once, at the time of its request', {
  skip: influxServer.skip,
}, async t => {
  assert(influxServer.skip === false)
  const { server } = influxServer
  const { port } = server
  await influxql({ port }, 'CREATE DATABASE exported')
  const { from } = await source(t)
  const rows = await from.oldest(1_000)
  const to = influx({ host: '127.0.0.1', port, org: 'shop', bucket: 'exported' })
  t.after(() => to.close())
  await exportAcrossOutage(t, { from, to }, server)
  // What was confirmed, and not deleted because the exporter died, comes again.
  await from.write(rows.map(({ entry }) => entry))
  await createExporter({ from, to }).runOnce()
  const told = (name: string, requestId: string, timestamp: number | undefined): string =>
    `${requestId} ${name} ${timestamp}`
  assert.deepEqual(
    (await storedIn({ port }, 'exported'))
      .map(each => told(each.name, each.requestId, each.timestamp))
      .sort(),
    rows.map(({ entry }) => told(entry.name, entry.requestId, entry.timestamp)).sort(),
  )
  const series = await influxql({ port }, 'SHOW MEASUREMENTS', 'exported')
  assert.deepEqual(series[0]?.values, [['sample']])
})
