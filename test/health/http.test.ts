import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type HttpCheckOptions, http } from 'deedbox/health'
import { silentProxy } from '../chests/silent-proxy.ts'
import { checkedService } from './rounds.ts'

async function dependency(
  t: TestContext,
  answer: RequestListener,
): Promise<{ readonly host: string; readonly server: Server; connections(): number }> {
  let connections = 0
  const server = createServer(answer).listen(0, '127.0.0.1')
  server.on('connection', () => {
    connections++
  })
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { host, server, connections: () => connections }
}

test('http: any status of success is well, on one connection however long the bodies', async t => {
  const asked: string[] = []
  const { host, connections } = await dependency(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.statusCode = 203
    response.end('x'.repeat(40_000))
  })
  const { heartbeat } = await checkedService(t, [http(`http://${host}/ready?key=1`)])
  for (let n = 0; n < 5; n++)
    assert.deepEqual(await heartbeat(), {
      code: 200,
      status: 'ok',
      checks: { [`check_http_${host}`]: 'ok' },
      details: {},
    })
  assert.deepEqual(asked, Array(5).fill('GET /ready?key=1'))
  assert.equal(connections(), 1)
})

test('http: a body without an end is not read to the end', async t => {
  const { host } = await dependency(t, (_, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(10_000)));
    }
    response.on('drain', more)
    more()
  })
  assert.deepEqual(await (await checkedService(t, [http(`http://${host}`)])).said(), [])
})

test('http: statuses, methods and headers are those that are asked for', async t => {
  const { host } = await dependency(t, (request, response) => {
    const { authorization = '-', 'x-key': key = '-' } = request.headers
    const isRight = `${request.method} ${authorization} ${key}` === 'HEAD Basic YW5uOnAvdw== k'
    response.writeHead(isRight ? 204 : 401).end()
  })
  const origin = `http://${host}`
  const url = `http://ann:p%2Fw@${host}/secret-path`
  const options: HttpCheckOptions = { method: 'HEAD', status: [204, 404], headers: { 'X-Key': 'k' } }
  assert.deepEqual(await (await checkedService(t, [http(url, options)])).said(), [])
  const other = await checkedService(t, [http(url, { ...options, method: 'GET' })])
  assert.deepEqual(await other.said(), [
    `deedbox.health.E202 ${origin} answered 401 where 204 or 404 is expected.`,
  ])
})

test('http: a redirect is not followed', async t => {
  const { host } = await dependency(t, (_, response) =>
    response.writeHead(302, { Location: 'http://127.0.0.1:1/?token=t' }).end(),
  )
  const { said } = await checkedService(t, [http(`http://${host}`)])
  assert.deepEqual(await said(), [
    `deedbox.health.E202 http://${host} answered 302 where 200 to 299 is expected.`,
  ])
  assert.deepEqual(await (await checkedService(t, [http(`http://${host}`, { status: 302 })])).said(), [])
})

test('DF-13 http: nobody there, and nobody who answers, are told without what may be secret', async t => {
  const { host, server } = await dependency(t, () => {})
  const url = `http://ann:hunter2hunter2@${host}/T0KEN`
  const silent = await checkedService(t, [http(url, { name: 'search', timeout: 100 })])
  for (let n = 0; n < 3; n++)
    assert.match(
      String(await silent.said()),
      /^deedbox.health.E201 http:\/\/127.0.0.1:\d+ has not answered for \d+\.\d s$/,
    )
  const { port } = server.address() as AddressInfo
  const open = (): Promise<number> =>
    new Promise(resolve => void server.getConnections((_, count) => resolve(count)))
  // None of them is left: what was asked too long is closed.
  while ((await open()) > 0) await setImmediate()
  const proxy = await silentProxy(t, port)
  proxy.fallSilent()
  const dropped = await checkedService(t, [http(`http://127.0.0.1:${proxy.port}`, { timeout: 100 })])
  assert.match(String(await dropped.said()), /E201 .* has not answered for /)
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  const gone = await checkedService(t, [http(url)])
  assert.deepEqual(await gone.said(), [
    `deedbox.health.E201 http://${host} cannot be reached: connect ECONNREFUSED ${host}`,
  ])
})

test('http: what cannot be asked is refused, without repeating what may have a password', () => {
  for (const given of [undefined, 'ftp://ann:hunter2hunter2@files', 'search:9200', {}])
    assert.throws(
      () => http(given as never),
      /^ConfigurationError: http\(\): takes a URL that begins with http: or https:, and was given (undefined|a string|another object)\.$/,
    )
  const url = 'http://127.0.0.1'
  for (const options of [
    { method: 'DELETE' },
    { status: 99 },
    { status: [] },
    { headers: { 'x\n': 'y' } },
    { body: 'x' },
  ])
    assert.throws(() => http(url, options as never), /^ConfigurationError: http\(\) \w+: /)
})
