import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChestError, type InfluxOptions, influx, type TrackedValue } from 'deedbox/chests'
import { selfSigned } from '../servers/certificates.ts'
import { influxdb, influxdb16 } from '../servers/influxdb.ts'
import { influxdb2 } from '../servers/influxdb2.ts'
import { installationOf } from '../servers/installation.ts'
import { serverFor, startServer } from '../servers/running-server.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { influxDatabases, influxTitle } from './influx-databases.ts'
import { influxql, storedIn } from './influx-reading.ts'
import { aService } from './service-suite.ts'

// A real InfluxDB 2 where there is one; else 1.8, which takes the writes of version 2 beside its own.
const servers = [await serverFor(influxdb2(), influxdb()), await serverFor(influxdb16())] as const

for (const found of servers) {
  const { skip } = found
  const [name, port] = skip === false ? [influxTitle(found.server.name), found.server.port] : ['InfluxDB', 0]
  const databases = skip === false ? await influxDatabases(found.server) : undefined
  const reading = databases?.reading ?? { port }
  const naming = (database: string): InfluxOptions => databases?.naming(database) ?? {}
  const ask = (question: string, database?: string) => influxql(reading, question, database)
  const chestIn = async (database: string, more: InfluxOptions = {}) => {
    await databases?.create(database)
    return influx({ host: '127.0.0.1', port, ...naming(database), ...more })
  }

  /** How many requests the server has answered with 4xx. */
  const refusals = async (): Promise<number> => {
    if (reading.token !== undefined)
      return refusalsIn(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
    const facts: unknown = await (await fetch(`http://127.0.0.1:${port}/debug/vars`)).json()
    const [, { values }] = Object.entries(facts as Record<string, { values: Record<string, number> }>).find(
      ([key]) => key.startsWith('httpd'),
    )!
    return values.clientError!
  }

  test(`FC-17 FC-18 ${name}: one point for each request, its id a field, and one series for all`, {
    skip,
  }, async t => {
    const chest = await chestIn('per_request', { customTags: { app: 'shop' }, measurement: 'checkout' })
    t.after(() => chest.close())
    const records = Array.from({ length: 20 }, (_, n) => aRecord({ requestId: `r-${n}` }))
    const entries = records.flatMap(record =>
      entriesOf(record, [
        ['user_id', 'u-1'],
        ['total', 9.5],
        ['vip', true],
      ]),
    )
    await chest.write(entries)
    const [series] = await ask(
      'SELECT request_id, user_id, total, vip, route, method, status, app FROM checkout LIMIT 1',
      'per_request',
    )
    assert.deepEqual(series?.values, [
      [records[0]!.timestamp, 'r-0', 'u-1', 9.5, true, '/items/:id', 'GET', 200, 'shop'],
    ])
    assert.deepEqual(
      (await ask('SELECT SUM(total) FROM checkout WHERE vip = true', 'per_request'))[0]?.values,
      [[0, 20 * 9.5]],
    )
    assert.deepEqual((await ask('SHOW SERIES', 'per_request'))[0]?.values, [['checkout,app=shop']])
  })

  test(`FC-17 ${name}: the points of the original, exactly`, { skip }, async t => {
    const chest = await chestIn('original', { layout: 'flask-chest', customTags: { app: 'shop' } })
    t.after(() => chest.close())
    const record = aRecord({ requestId: 'r 1' })
    await chest.write(
      entriesOf(record, [
        ['user_id', 'u-1'],
        ['total', 9.5],
      ]),
    )
    const [series] = await ask('SELECT * FROM user_id', 'original')
    assert.deepEqual(series?.columns, ['time', 'app', 'request_id', 'value'])
    assert.deepEqual(series?.values, [[record.timestamp, 'shop', 'r 1', 'u-1']])
    assert.deepEqual((await ask('SELECT * FROM total', 'original'))[0]?.values, [
      [record.timestamp, 'shop', 'r 1', 9.5],
    ])
    assert.deepEqual((await ask('SHOW SERIES', 'original'))[0]?.values, [
      ['total,app=shop,request_id=r\\ 1'],
      ['user_id,app=shop,request_id=r\\ 1'],
    ])
  })

  test(`FC-18 ${name}: 1, "1", null and an object under one name, nothing is lost and nothing refused`, {
    skip,
  }, async t => {
    const four: TrackedValue[] = [1, '1', null, { a: 1 }]
    for (const layout of ['request', 'flask-chest'] as const) {
      const database = `four_${layout.replace('-', '_')}`
      const chest = await chestIn(database, { layout })
      t.after(() => chest.close())
      const before = await refusals()
      await chest.write(four.flatMap(value => entriesOf(aRecord(), [['n', value]])))
      for (const value of four) await chest.write(entriesOf(aRecord(), [['n', value]]))
      assert.equal(await refusals(), before)
      const stored = await storedIn(reading, database)
      assert.deepEqual(
        stored.map(({ value }) => value),
        [...four, ...four],
      )
    }
  })

  test(`FC-18 ${name}: another process has other first values, and its conflicts are learned`, {
    skip,
  }, async t => {
    const one = await chestIn('two')
    const other = influx({ host: '127.0.0.1', port, ...naming('two') })
    t.after(() => Promise.all([one.close(), other.close()]))
    await one.write(
      entriesOf(aRecord(), [
        ['n', 1],
        ['m', 'a'],
        ['k', true],
      ]),
    )
    const before = await refusals()
    const requests = ['x', 2, 'y'].map(n =>
      entriesOf(aRecord(), [
        ['n', n],
        ['m', 2],
        ['k', 'yes'],
      ]),
    )
    await other.write(requests.flat())
    assert((await refusals()) > before)
    const after = await refusals()
    await other.write(
      entriesOf(aRecord(), [
        ['n', 'z'],
        ['m', 3],
        ['k', false],
      ]),
    )
    assert.equal(await refusals(), after)
    const stored = await storedIn(reading, 'two')
    const valuesOf = (variable: string): string[] =>
      stored.flatMap(({ name, value }) => (name === variable ? [String(value)] : [])).sort()
    assert.deepEqual(valuesOf('n'), ['1', '2', 'x', 'y', 'z'])
    assert.deepEqual(valuesOf('m'), ['2', '2', '2', '3', 'a'])
    assert.deepEqual(valuesOf('k'), ['false', 'true', 'yes', 'yes', 'yes'])
  })

  test(`FC-18 ${name}: what is too large for the server is refused, for exactly its request`, {
    skip,
  }, async t => {
    const chest = await chestIn('large')
    t.after(() => chest.close())
    const requests = [9, 30_000_000, 1_000_000].map(size =>
      entriesOf(aRecord(), [['text', 'é'.repeat(size / 2)]]),
    )
    const failure = await chest.write(requests.flat()).catch((error: unknown) => error)
    assert(failure instanceof ChestError && failure.code === 'refused')
    assert(failure.message.length < 1_000)
    assert.deepEqual([...failure.taken], [requests[0]![0]!.record.id])
    await chest.write(requests[2]!)
    assert.deepEqual(
      (await storedIn(reading, 'large')).map(({ value }) => String(value).length),
      [4, 500_000],
    )
  })

  test(`FC-18 ${name}: the line that it quotes is not told`, { skip }, async t => {
    const chest = await chestIn('quoting')
    t.after(() => chest.close())
    const late = aRecord({ timestamp: 1e16 })
    const failure = await chest.write(entriesOf(late, [['card', '4711']])).catch((error: unknown) => error)
    assert(failure instanceof ChestError && failure.code === 'refused')
    assert.match(failure.message, /answered 400: (partial write: )?it could not read a line/)
    assert(!failure.message.includes('4711'))
  })

  test(`FC-16 FC-25 ${name}: every option of the original, and its logger is told`, { skip }, async t => {
    const lines: string[] = []
    const tell = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
    const logger = { debug: tell('DEBUG'), warn: tell('WARN') }
    const token = reading.token ?? 'any:token'
    const options = { https: false, token, customTags: { app: 'your-app-name' }, logger }
    const chest = await chestIn('spelled', options)
    const { box } = aService(t, chest)
    box.run({ name: 'job', requestId: 'job-1' }, () => box.set({ user_id: 'u-1', total: 0.1 }))
    await eventually(() => lines.length > 0)
    assert.deepEqual(lines, [`DEBUG InfluxDB(name=spelled) took 2 entries`])
    const tags = (await storedIn(reading, 'spelled')).map(stored => stored.tags)
    assert.deepEqual(tags, [{ app: 'your-app-name' }, { app: 'your-app-name' }])
  })

  test(`FC-16 ${name}: a place that is not there is told, and waits`, { skip }, async t => {
    const chest = influx({ host: '127.0.0.1', port, ...naming('nowhere') })
    t.after(() => chest.close())
    const [message] = await chest.check()
    assert.equal(message?.id, 'deedbox.chest.missing')
    const failure = await chest.write(entriesOf(aRecord(), [['n', 1]])).catch((error: unknown) => error)
    assert(failure instanceof ChestError && failure.code === 'unavailable')
  })
}

/** The writes that InfluxDB 2 has answered with 4xx, of its metrics. */
function refusalsIn(metrics: string): number {
  return metrics
    .split('\n')
    .filter(line => /^http_write_request_count\{.*status="4\d\d"/.test(line))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

test("FC-16 FC-21 a certificate authority of one's own is trusted where it is named", {
  skip: servers[1].skip,
}, async t => {
  const certificate = selfSigned(t)
  const kind = influxdb16({ certificate })
  const server = await startServer(kind, installationOf(kind))
  t.after(() => server.stop())
  const place = { port: server.port, certificate }
  await influxql(place, 'CREATE DATABASE d')
  const url = `https://127.0.0.1:${server.port}?database=d`
  const [trusting, plain] = [influx(url, { tls: { ca: certificate.cert } }), influx(url)]
  t.after(() => Promise.all([trusting.close(), plain.close()]))
  await trusting.write(entriesOf(aRecord(), [['n', 1]]))
  await assert.rejects(plain.write(entriesOf(aRecord(), [['n', 2]])), /self-signed/)
  assert.deepEqual(
    (await storedIn(place, 'd')).map(({ value }) => value),
    [1],
  )
})
