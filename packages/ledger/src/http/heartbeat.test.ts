import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { newApiKey, type Scope } from '../access/index.ts'
import { startTestServer, type TestServer } from '../testing/temp-server.ts'

const paths = ['/__version__', '/__lbheartbeat__', '/__heartbeat__', '/__readiness__'] as const

interface Report {
  readonly status: string
  readonly checks: Readonly<Record<string, string>>
  readonly details?: Readonly<Record<string, { readonly messages: Readonly<Record<string, string>> }>>
}

async function anonymous(server: TestServer, path: string, method = 'GET') {
  const response = await fetch(`${server.url}${path}`, { method })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Report }
}

test('DF-01 DF-12 the ledger answers GET, HEAD and OPTIONS of Dockerflow, with a slash or without, kept by nobody', async t => {
  const server = await startTestServer(t)
  for (const path of paths) {
    const got = await anonymous(server, path)
    assert.equal(got.status, 200, path)
    assert.equal(got.headers.get('cache-control'), 'no-store')
    assert.equal(got.headers.get('vary'), 'Accept-Encoding')
    const head = await anonymous(server, path, 'HEAD')
    assert.deepEqual([head.status, head.text], [200, ''])
    assert.equal(head.headers.get('content-length'), got.headers.get('content-length'))
    const options = await anonymous(server, path, 'OPTIONS')
    assert.deepEqual([options.status, options.headers.get('allow')], [200, 'GET, HEAD, OPTIONS'])
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const refused = await anonymous(server, path, method)
      assert.equal(refused.status, 405)
      assert.deepEqual(refused.headers.get('allow')?.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS'])
    }
    assert.equal((await anonymous(server, `${path}/?x=1`)).status, 200)
  }
})

test('DF-02 DF-05 DF-06 DF-11 the version has its four members, liveness no body, and there is no /__error__', async t => {
  const version = { source: 'https://example.com/deedbox', version: '1.2.3', commit: 'c0ffee', build: '17' }
  const server = await startTestServer(t, { version })
  assert.deepEqual(JSON.parse((await anonymous(server, '/__version__')).text), version)
  const alive = await anonymous(server, '/__lbheartbeat__')
  assert.deepEqual([alive.status, alive.text], [200, ''])
  assert.match(alive.headers.get('content-type') ?? '', /^text\/plain/)
  assert.equal((await anonymous(server, '/__error__')).status, 404)
})

test('DF-07 DF-10 X-18 the heartbeat shows all checks, readiness those it needs, details only keys that verify', async t => {
  const server = await startTestServer(t)
  const heartbeat = (await anonymous(server, '/__heartbeat__')).json()
  assert.deepEqual(Object.keys(heartbeat), ['status', 'checks'])
  assert.deepEqual(Object.keys(heartbeat.checks), [
    'database',
    'writer',
    'guard',
    'last_write',
    'signing_key',
    'disk',
    'event_loop',
  ])
  for (const name of ['database', 'writer', 'guard', 'last_write', 'signing_key'])
    assert.equal(heartbeat.checks[name], 'ok')
  const ready = (await anonymous(server, '/__readiness__')).json()
  assert.deepEqual(ready, { status: 'ok', checks: { database: 'ok', writer: 'ok', guard: 'ok' } })
  assert.deepEqual((await server.call('GET', '/__readiness__')).json.details, {})
  const key = await keyWith(server, ['write'])
  const writer = await fetch(`${server.url}/__readiness__`, { headers: { authorization: `Bearer ${key}` } })
  assert.deepEqual(await writer.json(), ready, 'a key that may only write sees no details')
})

async function keyWith(server: TestServer, scopes: readonly Scope[]): Promise<string> {
  const key = newApiKey()
  await server.ledger.createApiKey(key, 'other', scopes)
  return key
}

test('DF-07 DF-08 DF-13 the heartbeat fails when nothing can be written any more, and says why to those who may know', async t => {
  const server = await startTestServer(t)
  await server.ledger.close()
  for (const path of ['/__heartbeat__', '/__readiness__']) {
    const got = await anonymous(server, path)
    assert.equal(got.status, 500)
    const { status, checks, details } = got.json()
    assert.deepEqual([status, checks.writer, checks.database], ['error', 'error', 'error'])
    assert.equal(details, undefined, 'strangers learn that it fails, not why')
  }
  assert.equal((await anonymous(server, '/__lbheartbeat__')).status, 200)
})

test('DF-10 X-18 a write that failed is told, takes no traffic away, and is over with the next one that does not', async t => {
  const server = await startTestServer(t)
  const event = { payload: '{}', meta: { type: 'info', event_name: 'order.paid', service: 'shop' } }
  const other = new DatabaseSync(join(server.folder, 'ledger.db'))
  t.after(() => other.close())
  other.exec("CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'on purpose'); END")
  assert.equal((await server.call('POST', '/v1/events', { body: event })).status, 500)
  const { json } = await server.call('GET', '/__heartbeat__')
  const { checks, details } = json as unknown as Report
  assert.deepEqual([checks.writer, checks.last_write], ['ok', 'error'])
  assert.match(details?.last_write?.messages['deedbox.ledger.E004'] ?? '', /^The last write failed: /)
  assert.equal((await anonymous(server, '/__readiness__')).status, 200)
  other.exec('DROP TRIGGER broken')
  assert.equal((await server.call('POST', '/v1/events', { body: event })).status, 202)
  while ((await anonymous(server, '/__heartbeat__')).json().checks.last_write !== 'ok');
})

test('DF-23 a signing key that is gone is told before the next start, and takes no traffic away', async t => {
  const server = await startTestServer(t)
  renameSync(join(server.folder, 'keys'), join(server.folder, 'keys.away'))
  const { status, json } = await server.call('GET', '/__heartbeat__')
  assert.equal(status, 500)
  const { checks, details } = json as unknown as Report
  assert.equal(checks.signing_key, 'error')
  assert.match(details?.signing_key?.messages['deedbox.ledger.E003'] ?? '', /main is gone/)
  assert.equal((await anonymous(server, '/__readiness__')).status, 200)
})

test('DF-13 a thousand heartbeats at once look at the database once', async t => {
  const server = await startTestServer(t)
  let rounds = 0
  const { ledger } = server
  const original = ledger.ledgersWithoutKey.bind(ledger)
  ledger.ledgersWithoutKey = () => {
    rounds++
    return original()
  }
  const answers = await Promise.all(Array.from({ length: 1_000 }, () => statusOf(server, '/__heartbeat__')))
  assert(answers.every(status => status === 200 || status === 500))
  assert(rounds <= 10, `${rounds} rounds`)
})

/** Over a connection of its own each; fetch would open as many at once as the machine takes. */
function statusOf({ port }: TestServer, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, path, host: '127.0.0.1' }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('DF-33 DF-42 the own endpoints leave a line only where they fail, with the route', async t => {
  const server = await startTestServer(t)
  for (const path of paths) await anonymous(server, path)
  for (const path of paths) await anonymous(server, `${path}/`)
  assert.equal((await server.call('GET', '/metrics')).status, 200)
  const lines = () => server.lines.filter(line => line.includes('/__') || line.includes('/metrics'))
  assert.deepEqual(lines(), [])
  assert.equal((await anonymous(server, '/metrics')).status, 401)
  while (!lines().some(line => line.includes('/metrics'))) await anonymous(server, '/metrics')
  await server.ledger.close()
  while (!lines().some(line => line.includes('/__heartbeat__'))) await anonymous(server, '/__heartbeat__')
})
