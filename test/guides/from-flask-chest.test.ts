import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { influxql } from '../chests/influx-reading.ts'
import { recordingServer } from '../chests/recording-server.ts'
import { influxdb } from '../servers/influxdb.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/from-flask-chest.md')
const app = page.fence('// app.ts')
const influx = await serverFor(influxdb())

test('samples 36, 37, 39, 40, 42 and 44, FC-01 FC-03 FC-07 FC-08 FC-17 FC-25, guide, from Flask-Chest: the route of the original', {
  skip: influx.skip,
}, async t => {
  assert(influx.skip === false)
  const { port } = influx.server
  await influxql({ port }, 'CREATE DATABASE "my-bucket"')
  const writer = await recordingServer(response => response.writeHead(200).end())
  t.after(() => writer.halt())
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': onFreePort(app) })
  const service = await startService(t, folder.runnable('app.ts'), {
    env: { INFLUX_PORT: String(port), WRITER_PORT: String(writer.port) },
  })
  assert.equal((await service.call('GET', '/')).status, 200)
  assert.equal((await service.call('PUT', '/')).status, 200)
  const log = (): string[] => readFileSync(join(folder.path, 'app.log'), 'utf8').split('\n')
  await until(() => log().filter(line => / - DEBUG - .* took 3 entries/.test(line)).length === 2)
  await until(() => log().some(line => /^\d{4}-\d\d-\d\dT[\d:.]+(\+00:00)? - INFO - log request$/.test(line)))
  const [posted, ...others] = writer.requests
  assert.equal(others.length, 0)
  const payload = Object.values(JSON.parse(posted?.body ?? '{}') as Record<string, unknown[]>)
  const [first] = payload
  const id = String(first?.[2])
  assert.match(id, /^\d{17}$/)
  assert.deepEqual(
    payload.map(([name, value]) => [name, typeof value]),
    [
      ['user_id', 'string'],
      ['session_id', 'string'],
      ['total_time', 'number'],
    ],
  )
  assert(Number(payload[2]?.[1]) >= 0.099)
  for (const [name, value] of payload) {
    const [series] = await influxql({ port }, `SELECT * FROM "${String(name)}"`, 'my-bucket')
    const row = Object.fromEntries(series!.columns.map((column, i) => [column, series!.values[0]![i]]))
    assert.deepEqual([row.app, row.request_id, row.value], ['your-app-name', id, value])
  }
  await service.stop()
})

everyBlockIsTested(page)
