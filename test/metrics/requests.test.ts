import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Deedbox } from 'deedbox'
import { observe as observeExpress } from 'deedbox/express'
import { observe as observeFastify } from 'deedbox/fastify'
import { observe as observeHttp } from 'deedbox/http'
import { observe as observeKoa } from 'deedbox/koa'
import express from 'express'
import { fastify } from 'fastify'
import Koa from 'koa'
import { measuredService } from './measured-service.ts'

function shop(box: Deedbox): express.Express {
  const app = express()
  app.use(observeExpress(box))
  app.get('/orders/:id', (_request, response) => void response.send('12345'))
  app.post(
    '/orders',
    express.text({ type: () => true }),
    (_request, response) => void response.sendStatus(201),
  )
  app.get('/fails', () => {
    throw new Error('on purpose')
  })
  app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(500).end()
  })
  return app
}

test('gap 8 requests are counted by method, template of the route and status, never by their paths', async t => {
  const service = await measuredService(t, shop)
  for (const id of ['1', '2', 'alice@example.com']) await service.ask('GET', `/orders/${id}?token=secret`)
  await service.ask('POST', '/orders', 'x'.repeat(150))
  await service.ask('GET', '/fails')
  await service.ask('GET', '/no/such/path')
  await service.ask('PROPFIND', '/no/such/path')
  const read = await service.read(7)
  const count = 'http_request_duration_seconds_count'
  assert.equal(read.value(count, { method: 'GET', route: '/orders/:id', status: '200' }), 3)
  assert.equal(read.value(count, { method: 'POST', route: '/orders', status: '201' }), 1)
  assert.equal(read.value(count, { method: 'GET', route: '/fails', status: '500' }), 1)
  assert.equal(read.value(count, { method: 'GET', route: 'unmatched', status: '404' }), 1)
  assert.equal(read.value(count, { method: 'other', route: 'unmatched', status: '404' }), 1)
  assert.deepEqual(read.labelValues(count, 'route'), ['/fails', '/orders', '/orders/:id', 'unmatched'])
  assert.equal(read.value('http_request_size_bytes_sum', { method: 'POST', route: '/orders' }), 150)
  assert.equal(read.value('http_response_size_bytes_sum', { method: 'GET', route: '/orders/:id' }), 15)
  assert.equal(read.value('http_requests_in_flight'), 0)
  assert(read.value('http_request_duration_seconds_sum', { route: '/orders' }) > 0)
  const text = await service.metrics.render()
  for (const word of ['alice', 'secret', '/no/such', 'PROPFIND']) assert(!text.includes(word), word)
  assert(read.families.has('process_cpu_user_seconds_total'), 'the process itself is measured as well')
})

const others: readonly (readonly [string, (box: Deedbox) => Promise<import('node:http').RequestListener>])[] =
  [
    [
      'Fastify',
      async box => {
        const app = fastify()
        await app.register(observeFastify(box))
        app.get('/orders/:id', async () => 'x')
        await app.ready()
        return (incoming, response) => app.routing(incoming, response)
      },
    ],
    [
      'Koa',
      async box => {
        const app = new Koa()
        app.use(observeKoa(box))
        app.use(context => {
          context.body = 'x'
        })
        return app.callback()
      },
    ],
    [
      'node:http',
      async box =>
        observeHttp(box)((_request, response) => {
          box.current()?.matched('/orders/:id')
          response.end('x')
        }),
    ],
  ]

for (const [name, handler] of others) {
  test(`gap 8 on ${name} a path is no label either`, async t => {
    const service = await measuredService(t, handler)
    await service.ask('GET', '/orders/4711')
    const read = await service.read(1)
    const [route] = read.labelValues('http_request_duration_seconds_count', 'route')
    assert.equal(route, name === 'Koa' ? 'unmatched' : '/orders/:id')
    assert(!(await service.metrics.render()).includes('4711'))
  })
}

test('P29 gap 8 beyond the most routes, requests are counted as other, and one line says so', async t => {
  const service = await measuredService(
    t,
    box => {
      const app = express()
      app.use(observeExpress(box))
      for (let n = 0; n < 20; n++) app.get(`/r${n}/:id`, (_request, response) => void response.end())
      return app
    },
    { metrics: { maxRoutes: 5 } },
  )
  for (let n = 0; n < 20; n++) await service.ask('GET', `/r${n}/1`)
  for (let n = 0; n < 20; n++) await service.ask('GET', `/r${n}/2`)
  await service.ask('GET', '/elsewhere')
  const read = await service.read(41)
  const count = 'http_request_duration_seconds_count'
  const kept = ['/r0/:id', '/r1/:id', '/r2/:id', '/r3/:id', '/r4/:id']
  assert.deepEqual(read.labelValues(count, 'route'), [...kept, 'other', 'unmatched'])
  assert.equal(read.value(count, { route: 'other' }), 30)
  assert.equal(read.value(count, { route: '/r4/:id' }), 2)
  assert.equal(service.lines.filter(line => line.includes('"metric_routes"')).length, 1)
})

test('gap 8 a service that answers with each status there is has no series for each', async t => {
  const service = await measuredService(t, box =>
    observeHttp(box)((incoming, response) => {
      response.statusCode = Number(incoming.url?.slice(1))
      response.end()
    }),
  )
  for (let status = 400; status < 500; status++) await service.ask('GET', `/${status}`)
  const read = await service.read(100)
  const statuses = read.labelValues('http_request_duration_seconds_count', 'status')
  assert.equal(statuses.length, 51)
  assert.equal(read.value('http_request_duration_seconds_count', { status: 'other' }), 50)
})

test('X-10 skipped paths are not counted, nor are their failures', async t => {
  const service = await measuredService(t, box =>
    observeHttp(box)((incoming, response) => {
      response.statusCode = incoming.url === '/health' ? 503 : 200
      response.end()
    }),
  )
  for (const path of ['/healthz', '/__readiness__', '/__heartbeat__', '/health'])
    await service.ask('GET', path)
  await service.ask('GET', '/counted')
  const read = await service.read(2)
  assert.equal(read.value('http_request_duration_seconds_count'), 1)
})

test('a request is in flight until it is over, and aborted where the client leaves', async t => {
  const { service, left } = await heldRequest(t)
  assert.equal((await service.read(0)).value('http_requests_in_flight'), 1)
  left()
  const read = await service.read(1)
  assert.equal(read.value('http_requests_in_flight'), 0)
  assert.equal(read.value('http_requests_aborted_total', { method: 'GET', route: 'unmatched' }), 1)
  assert.equal(read.value('http_request_duration_seconds_count', { status: '499' }), 1)
})

async function heldRequest(t: TestContext) {
  let arrived = (): void => undefined
  const isHere = new Promise<void>(resolve => {
    arrived = resolve
  })
  const service = await measuredService(t, box => observeHttp(box)(() => arrived()))
  const sent = request(`${service.url}/waits`)
  sent.on('error', () => undefined)
  sent.end()
  await isHere
  return { service, left: () => void sent.destroy() }
}

test('a second error of a request does not count it twice', async t => {
  const service = await measuredService(t, box =>
    observeHttp(box)((_request, response) => {
      const scope = box.current()
      response.once('close', () => setImmediate(() => scope?.fail(new Error('afterwards'))))
      response.end()
    }),
  )
  await service.ask('GET', '/x')
  const read = await service.read(2)
  assert.equal(read.value('http_request_duration_seconds_count'), 1)
})

test('once the instance is closed nothing is counted any more, and the last values stay readable', async t => {
  const service = await measuredService(t, shop)
  await service.ask('GET', '/orders/1')
  await service.read(1)
  await service.box.close()
  const sent = request(`${service.url}/orders/2`).end()
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'close')
  assert.equal((await service.read(2)).value('http_request_duration_seconds_count'), 1)
})
