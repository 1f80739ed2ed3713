import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { aLedger } from '../../testing/ledger-events.ts'
import { keepAll, type ReceivedCall, singlePostsOnly, until } from '../../testing/ledger-stand-in.ts'
import { addRoutes, anAudit, kept, serve, setVariables } from '../../testing/originals.ts'
import {
  event,
  hashBody,
  ImmutableLogAudit,
  type ImmutableLogOptions,
  immutableLogMiddleware,
  immutableLogPlugin,
} from './index.ts'
import { originalBox } from './original-box.ts'

const get = async (url: string, init: RequestInit = {}): Promise<Response> => {
  const answer = await fetch(url, { redirect: 'manual', ...init })
  await answer.text()
  return answer
}

const payloadsOf = (calls: readonly ReceivedCall[]): Record<string, unknown>[] =>
  calls.flatMap(({ items }) => items.map(({ payload }) => JSON.parse(payload) as Record<string, unknown>))

test('IF-04 attached twice counts once, and one audit watches several applications', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit, box } = anAudit(t, ledger.url)
  const shared: unknown[] = []
  const start = (): Promise<string> =>
    serve(t, app => {
      audit.initApp(app)
      audit.attach(app)
      addRoutes(app)
      shared.push(app.locals.immutablelog)
    })
  const [one, two] = [await start(), await start()]
  await get(`${one}/a`)
  await get(`${two}/b`)
  assert.equal(await box.flush(), true)
  assert.deepEqual(
    [...ledger.stored.values()].map(({ meta }) => meta.event_name),
    ['http.GET./a', 'http.GET./b'],
  )
  assert.deepEqual(shared, [audit, audit])
})

test('IF-02 IF-28 the application given with the options, in snake case; single posts with all six headers', async t => {
  const ledger = await aLedger(t, singlePostsOnly)
  const { deedbox } = kept()
  let audit: ImmutableLogAudit | undefined
  const url = await serve(t, app => {
    audit = new ImmutableLogAudit({
      app,
      api_key: 'iml_live_secret',
      api_url: ledger.url,
      skip_paths: ['/ping'],
      deedbox,
    })
    addRoutes(app)
  })
  for (const path of ['/a', '/ping', '/health']) await get(url + path)
  assert.equal(await audit?.box.flush(), true)
  assert.deepEqual(
    ledger.calls.map(({ path, items }) => [path, items[0]?.meta.event_name]),
    [
      ['/v1/events', 'http.GET./a'],
      ['/v1/events', 'http.GET./health'],
    ],
  )
  const [call] = ledger.calls
  const { meta = {}, key } = call?.items[0] ?? {}
  const six = [
    'authorization',
    'content-type',
    'idempotency-key',
    'request-id',
    'x-client-tz',
    'x-client-offset-minutes',
  ]
  assert.deepEqual(
    six.map(name => call?.headers[name]),
    ['Bearer iml_live_secret', 'application/json', key, meta.request_id, 'UTC', '0'],
  )
  assert.deepEqual(
    [meta.service, meta.env, meta.type, typeof JSON.parse(call?.body ?? '{}').payload],
    ['express-service', 'production', 'success', 'string'],
  )
  await audit?.box.close()
})

test('IF-18 IF-19 IF-20 IF-22 IF-23 IF-24 a 200, a 302, a 404 and a throw: one event each, as the originals make them', async t => {
  const ledger = await aLedger(t, keepAll)
  const { deedbox, lines } = kept()
  const middleware = immutableLogMiddleware({ apiKey: 'iml_live_secret', apiUrl: ledger.url, deedbox })
  const url = await serve(t, app => {
    app.use(middleware)
    addRoutes(app)
  })
  const seen: unknown[] = []
  for (const path of ['/a', '/old', '/nowhere']) seen.push((await get(url + path)).status)
  const body = JSON.stringify({ password: 'hunter2', amount: 5 })
  const thrown = await get(`${url}/throws`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-request-id': 'mine' },
  })
  assert.deepEqual([...seen, thrown.status], [200, 302, 404, 500])
  assert.deepEqual(
    [thrown.headers.get('x-request-id'), thrown.headers.get('x-processed-time')],
    ['mine', null],
  )
  await until(() => ledger.stored.size === 4)
  const payloads = [...ledger.stored.values()].map(({ payload }) => JSON.parse(payload))
  assert.deepEqual(
    payloads.map(({ kind, severity, message, success, info }) => [kind, severity, message, success ?? info]),
    [
      ['success', 'low', 'GET /a completed successfully', { status_code: 200, result: 'ok' }],
      ['info', 'low', 'GET /old processed', { status_code: 302, action: 'get' }],
      ['error', 'high', 'GET /nowhere returned error 404', undefined],
      ['error', 'high', 'POST /throws failed with exception: RangeError', undefined],
    ],
  )
  const { exception, exception_message, retryable, status_code } = payloads[3].error
  assert.deepEqual(
    [exception, exception_message, retryable, status_code],
    ['RangeError', 'out of stock', true, 500],
  )
  assert.deepEqual(
    lines.filter(line => line.notice === undefined),
    [],
    'the originals write no line for a request',
  )
})

test('IF-22 IF-25 a short body of a failed request is in the event, its secrets blanked, its hash that of the bytes', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit, box } = anAudit(t, ledger.url)
  const url = await serve(t, app => {
    audit.attach(app)
    app.post('/pay', (request, response) => {
      request.resume().once('end', () => response.status(422).end())
    })
  })
  const headers = { 'content-type': 'application/json' }
  await get(`${url}/pay`, { method: 'POST', headers, body: '{"password":"hunter2","amount":5}' })
  await get(`${url}/pay`, { method: 'POST', headers, body: JSON.stringify({ note: 'x'.repeat(2_000) }) })
  assert.equal(await box.flush(), true)
  const [short, long] = payloadsOf(ledger.calls).map(({ error }) => error as Record<string, unknown>)
  assert.deepEqual(JSON.parse(String(short?.request_body)), { password: '[redacted]', amount: 5 })
  assert.equal(short?.request_body_hash, hashBody('{"password":"hunter2","amount":5}'))
  assert.equal(long?.request_body, undefined)
})

test('IF-16 the default name holds the concrete path; event() names the event of its own request alone', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit, box } = anAudit(t, ledger.url)
  const url = await serve(t, app => {
    audit.attach(app)
    app.get('/orders/:id', (_request, response) => response.json({}))
    app.get('/named/:n', async (request, response) => {
      event(`named.${request.params.n}`)
      await new Promise(setImmediate)
      response.json({})
    })
  })
  await get(`${url}/orders/7`)
  await Promise.all(Array.from({ length: 50 }, (_, n) => get(`${url}/named/${n}`)))
  assert.equal(await box.flush(), true)
  for (const { payload, meta } of ledger.stored.values()) {
    const { path } = JSON.parse(payload).request
    const n = /^\/named\/(\d+)$/.exec(path)?.[1]
    assert.equal(meta.event_name, n === undefined ? 'http.GET./orders/7' : `named.${n}`)
  }
  assert.equal(ledger.stored.size, 51)
})

test('IF-04 a server of node:http', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit, box } = anAudit(t, ledger.url)
  const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  audit.attach(server)
  audit.attach(server)
  await get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`)
  assert.equal(await box.flush(), true)
  assert.equal(ledger.stored.size, 1)
  server.closeAllConnections()
  server.close()
})

test('IF-02 IF-03 ruling 2 an option that is unknown, wrong or given twice stops the start, naming it', async t => {
  setVariables(t, {})
  const faults: [unknown, string][] = [
    [{ apikey: 'k' }, 'apikey'],
    [{ apiKey: 5 }, 'apiKey'],
    [{ apiKey: 'a', api_key: 'b' }, 'api_key'],
    [{ serviceName: 'a', service: 'b' }, 'service'],
    [{ skip_paths: '/health' }, 'skip_paths'],
    [{ skipPaths: [/x/] }, 'skipPaths'],
    [{ apiKey: 'iml_live_x', apiUrl: 'ledger' }, 'apiUrl'],
    [{ apiKey: 'deed_live_x' }, 'DEEDBOX_URL'],
    [{ app: {} }, 'app'],
    [{ deedbox: { ledgr: 1 } }, 'ledgr'],
    ['iml_live_x', 'ImmutableLogAudit'],
  ]
  for (const [options, setting] of faults) {
    assert.throws(
      () => new ImmutableLogAudit(options as ImmutableLogOptions),
      { name: 'ConfigurationError', setting },
      JSON.stringify(options),
    )
  }
})

test('IF-02 ruling 1 an empty key starts, with and without a URL, and says once what is off', async t => {
  setVariables(t, {})
  for (const apiUrl of [undefined, 'https://api.immutablelog.com']) {
    const { deedbox, lines } = kept()
    const audit = new ImmutableLogAudit({ apiKey: '', apiUrl, deedbox })
    const url = await serve(t, app => {
      audit.attach(app)
      addRoutes(app)
    })
    for (const path of ['/a', '/b']) await get(url + path)
    await audit.box.close()
    assert.deepEqual(
      lines.map(({ level, notice, type, event_name }) => [level, notice ?? type, event_name]),
      [
        ['WARNING', 'no_ledger', undefined],
        ['INFO', 'audit', 'http.GET./a'],
        ['INFO', 'audit', 'http.GET./b'],
      ],
    )
    assert.match(String(lines[0]?.message), /IMTBL_API_KEY/)
  }
})

test('IF-03 the variables of the originals, and the URL of their service where only a key is set', async t => {
  const { deedbox } = kept()
  setVariables(t, {
    IMTBL_API_KEY: 'iml_live_x',
    IMTBL_SERVICE_NAME: 'shop',
    IMTBL_ENV: 'staging',
  })
  const { box, remote } = originalBox({ deedbox }, 'node-service')
  t.after(() => box.close(0))
  assert.deepEqual(remote, { url: 'https://api.immutablelog.com/', apiKey: 'iml_live_x', batches: false })
  assert.deepEqual([box.service, box.env], ['shop', 'staging'])
  setVariables(t, { NODE_ENV: 'development' })
  const other = originalBox({ deedbox: { ...deedbox, ledger: null } }, 'fastify-service').box
  t.after(() => other.close(0))
  assert.deepEqual([other.service, other.env], ['fastify-service', 'production'])
})

test('IF-02 IP-01 a wrong option of the plugin fails its registration', t => {
  setVariables(t, {})
  const app = Object.fromEntries(
    ['addHook', 'decorate', 'register', 'setErrorHandler'].map(name => [name, () => assert.fail(name)]),
  )
  const told: unknown[] = []
  immutableLogPlugin(app as never, { apikey: 'iml_live_x' } as never, error => told.push(error))
  assert.deepEqual(
    told.map(error => [error instanceof Error && error.name, Reflect.get(Object(error), 'setting')]),
    [['ConfigurationError', 'apikey']],
  )
})
