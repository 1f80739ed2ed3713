import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'
import { deedboxProvider, type NestApp, observe } from './nest.ts'

// What follows is a Nest of another version or platform than those of test/frameworks.

test('a Nest that keeps its exceptions elsewhere: one notice, and records without errors', async () => {
  const { box, lines, recorded } = captureLog()
  const server = createServer((_request, response) => response.writeHead(500).end())
  const adapter = { getType: () => 'another', getInstance: () => ({}) }
  const app: NestApp = { getHttpAdapter: () => adapter, getHttpServer: () => server }
  assert.equal(observe(box)(app), app)
  observe(box)(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`)
  const [record] = await recorded(1)
  assert.deepEqual([record?.status, record?.route, record?.error], [500, null, null])
  const notices = (await lines()).filter(line => line.notice !== undefined)
  assert.deepEqual(
    notices.map(line => [line.level, line.notice]),
    [['WARNING', 'nest_exceptions']],
  )
  server.closeAllConnections()
  server.close()
  await box.close()
})

test('X-17 two instances at one application: each hears of an exception once', async () => {
  const first = captureLog()
  const second = captureLog()
  const handler = { invokeCustomFilters: (_thrown: unknown, _host: object) => false }
  const filters = { create: () => ({ ...handler }) }
  const adapter = { getType: () => 'another', getInstance: () => ({}) }
  const server = createServer((request, response) => {
    const isTaken = filters.create().invokeCustomFilters(new Error('broken'), {
      getArgByIndex: (index: number) => (index === 0 ? request : response),
    })
    if (!isTaken) response.end('Nest answers')
  })
  const app = {
    getHttpAdapter: () => adapter,
    getHttpServer: () => server,
    routesResolver: { routerExceptionsFilter: filters },
    middlewareModule: { register: async () => undefined },
  }
  observe(first.box)(app)
  observe(second.box, { unhandled: 'answer' })(observe(second.box)(app))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  assert.equal(
    await (await fetch(`${url}/x`)).text(),
    'Nest answers',
    'attached again, the first options stay',
  )
  for (const { recorded } of [first, second]) {
    const records = await recorded(1)
    assert.deepEqual(
      records.map(record => String(record.error?.thrown)),
      ['Error: broken'],
    )
  }
  server.closeAllConnections()
  server.close()
  await first.box.close()
  await second.box.close()
})

test('the provider of an instance has the token "deedbox"', async () => {
  const { box } = captureLog()
  assert.deepEqual(deedboxProvider(box), { provide: 'deedbox', useValue: box })
  await box.close()
})
