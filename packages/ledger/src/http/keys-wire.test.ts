import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testKey } from '../testing/temp-ledger.ts'
import { type Answer, startTestServer, type TestServer } from '../testing/temp-server.ts'

interface Admin extends TestServer {
  admin: string
  /** A call with the admin key, or with the one given. */
  as(method: string, path: string, body?: unknown, key?: string): Promise<Answer>
}

async function startAdmin(t: TestContext): Promise<Admin> {
  const server = await startTestServer(t)
  const admin = await testKey(server.ledger, ['admin'])
  const as = (method: string, path: string, body?: unknown, key: string = admin) =>
    server.call(method, path, {
      ...(body === undefined ? {} : { body }),
      headers: { authorization: `Bearer ${key}` },
    })
  return { ...server, admin, as }
}

const event = { payload: 'x', meta: { type: 'info', event_name: 'keys.tried', service: 'test' } }

test('DESIGN §7.7 POST /v1/keys: the key is in this answer alone, has these scopes, and its leaf names the admin', async t => {
  const { as, call, ledger } = await startAdmin(t)
  const made = await as('POST', '/v1/keys', { name: 'ci', scopes: ['write'], expires_in: 3600 })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.get('cache-control'), 'no-store')
  const key = String(made.json.key)
  assert.match(key, /^deed_live_[\w-]{43}$/)
  assert.equal((await as('POST', '/v1/events', event, key)).status, 202)
  const reading = await as('GET', '/v1/events', undefined, key)
  assert.deepEqual([reading.status, reading.json.reason], [403, 'insufficient_scope'])
  const list = await as('GET', '/v1/keys')
  assert.equal(list.status, 200)
  const { key: _text, ok: _ok, ...shown } = made.json
  const [found] = (list.json.keys as Record<string, unknown>[]).filter(
    view => view.key_id === made.json.key_id,
  )
  assert.notEqual(found?.last_used_at, null)
  assert.deepEqual({ ...found, last_used_at: null }, shown)
  assert(!list.text.includes(key) && !list.text.includes('hash'))
  const admin = ledger.apiKeys().find(view => view.scopes.includes('admin'))
  const [leaf] = ledger.search({ event_name: 'deedbox.key.created', limit: 1 }).events
  const said = JSON.parse(leaf?.payload ?? '') as Record<string, unknown>
  assert.deepEqual([said.key_id, said.by], [made.json.key_id, admin?.principal])
  assert(!(await call('GET', '/v1/events')).text.includes(key))
})

test('DESIGN §7.7 a revoked key is refused by the server that revoked it at once', async t => {
  const { as } = await startAdmin(t)
  const { key, key_id } = (await as('POST', '/v1/keys', { name: 'ci', scopes: ['write'] })).json
  assert.equal((await as('POST', '/v1/events', event, String(key))).status, 202)
  const revoked = await as('DELETE', `/v1/keys/${key_id}`)
  assert.deepEqual([revoked.status, revoked.json.state], [200, 'revoked'])
  const after = await as('POST', '/v1/events', event, String(key))
  assert.deepEqual([after.status, after.json.reason], [401, 'invalid_api_key'])
  const again = await as('DELETE', `/v1/keys/${key_id}`)
  assert.deepEqual([again.status, again.json.reason], [409, 'key_conflict'])
  const unknown = await as('DELETE', '/v1/keys/key_none')
  assert.deepEqual([unknown.status, unknown.json.reason], [404, 'unknown_key'])
})

test('DESIGN §7.7 POST /v1/keys/{key_id}/rotate: with and without a body', async t => {
  const { as } = await startAdmin(t)
  const first = (await as('POST', '/v1/keys', { name: 'shop', scopes: ['write'] })).json
  const second = await as('POST', `/v1/keys/${first.key_id}/rotate`)
  assert.equal(second.status, 201, second.text)
  assert.deepEqual([second.json.principal, second.json.name], [first.principal, 'shop'])
  assert.equal((await as('POST', '/v1/events', event, String(first.key))).status, 202)
  const third = await as('POST', `/v1/keys/${second.json.key_id}/rotate`, { overlap_seconds: 0 })
  assert.equal(third.status, 201, third.text)
  assert.equal((await as('POST', '/v1/events', event, String(second.json.key))).status, 401)
  assert.equal((await as('POST', '/v1/events', event, String(third.json.key))).status, 202)
  const twice = await as('POST', `/v1/keys/${first.key_id}/rotate`)
  assert.deepEqual([twice.status, twice.json.reason], [409, 'key_conflict'])
})

test('only the scope admin reaches /v1/keys, and an admin key alone cannot write or read', async t => {
  const { as, ledger, key } = await startAdmin(t)
  const { size } = ledger.head()
  const calls: [string, string][] = [
    ['POST', '/v1/keys'],
    ['GET', '/v1/keys'],
    ['POST', '/v1/keys/key_x/rotate'],
    ['DELETE', '/v1/keys/key_x'],
  ]
  for (const [method, path] of calls) {
    const refused = await as(method, path, undefined, key)
    assert.deepEqual([refused.status, refused.json.reason], [403, 'insufficient_scope'], `${method} ${path}`)
    assert.equal((await as(method, path, undefined, 'deed_live_nobody')).status, 401, `${method} ${path}`)
  }
  assert.equal((await as('POST', '/v1/events', event)).status, 403)
  assert.equal((await as('GET', '/v1/events')).status, 403)
  assert.equal(ledger.head().size, size)
})

test('the last admin key may revoke itself', async t => {
  const { as, ledger } = await startAdmin(t)
  const own = ledger.apiKeys().find(view => view.scopes.includes('admin'))?.key_id
  assert.equal((await as('DELETE', `/v1/keys/${own}`)).status, 200)
  assert.equal((await as('GET', '/v1/keys')).status, 401)
})

test('DESIGN §7.7 POST /v1/keys makes keys of a raw ledger, which are for that one only', async t => {
  const { as, ledger } = await startAdmin(t)
  await ledger.createLedger({ name: 'certs', kind: 'raw' })
  const wanted = { name: 'ci', scopes: ['write', 'verify'], ledger: 'certs' }
  const made = await as('POST', '/v1/keys', wanted)
  assert.deepEqual([made.status, made.json.ledger], [201, 'certs'], made.text)
  const next = await as('POST', `/v1/keys/${made.json.key_id}/rotate`, { overlap_seconds: 0 })
  assert.deepEqual([next.status, next.json.ledger], [201, 'certs'], next.text)
  const key = String(next.json.key)
  assert.equal((await as('POST', '/ledgers/certs/add', 'x', key)).text, '0')
  for (const [method, path] of [
    ['POST', '/v1/events'],
    ['GET', '/ledgers/main/checkpoint'],
    ['GET', '/v1/keys'],
  ] as const) {
    const refused = await as(method, path, undefined, key)
    assert.deepEqual([refused.status, refused.json.reason], [403, 'insufficient_scope'], path)
    assert.match(String(refused.json.message), /belongs to another ledger/)
  }
  assert.equal((await as('GET', '/ledgers/certs/checkpoint', undefined, key)).status, 200)
  assert.equal((await as('GET', '/ledgers/certs/checkpoint', undefined, String(made.json.key))).status, 401)
  const raised = await as('POST', '/v1/keys', { ...wanted, scopes: ['admin'] })
  assert.deepEqual([raised.status, raised.json.reason], [400, 'invalid_key_settings'])
  const nowhere = await as('POST', '/v1/keys', { ...wanted, ledger: 'none' })
  assert.deepEqual([nowhere.status, nowhere.json.reason], [404, 'unknown_ledger'])
  assert.equal((await as('DELETE', `/v1/keys/${next.json.key_id}`)).json.ledger, 'certs')
  assert.equal((await as('POST', '/ledgers/certs/add', 'x', key)).status, 401)
})

const good = { name: 'n', scopes: ['write'] }
const bodies: { title: string; body: unknown; message: RegExp; reason?: string }[] = [
  { title: 'no body', body: '', message: /not valid JSON/, reason: 'malformed_json' },
  { title: 'no JSON', body: '{', message: /not valid JSON/, reason: 'malformed_json' },
  {
    title: 'a member twice',
    body: '{"name":"a","name":"b","scopes":["write"]}',
    message: /twice/,
    reason: 'duplicate_key',
  },
  { title: 'an array', body: [], message: /JSON object/ },
  { title: 'an unknown member', body: { ...good, expires: 1 }, message: /"expires" is not one/ },
  {
    title: '__proto__',
    body: '{"name":"a","scopes":["write"],"__proto__":{}}',
    message: /"__proto__"/,
    reason: 'invalid_event',
  },
  { title: 'no name', body: { scopes: ['write'] }, message: /The name of a key/ },
  { title: 'a name that is no text', body: { ...good, name: 5 }, message: /The name of a key/ },
  { title: 'no scopes', body: { name: 'n' }, message: /The scopes of a key/ },
  { title: 'scopes as a text', body: { name: 'n', scopes: 'write' }, message: /The scopes of a key/ },
  {
    title: 'an unknown scope',
    body: { name: 'n', scopes: ['write', 'root'] },
    message: /one or more of write, read/,
  },
  { title: 'a scope twice', body: { name: 'n', scopes: ['write', 'write'] }, message: /each once/ },
  {
    title: 'both expiries',
    body: { ...good, expires_in: 1, expires_at: '2999-01-01T00:00:00Z' },
    message: /not both/,
  },
  { title: 'a ledger that is no text', body: { ...good, ledger: 1 }, message: /ledger is the name/ },
  { title: 'expires_in 0', body: { ...good, expires_in: 0 }, message: /expires_in is a whole number/ },
  { title: 'expires_in 1.5', body: { ...good, expires_in: 1.5 }, message: /expires_in is a whole number/ },
  {
    title: 'expires_in as a text',
    body: { ...good, expires_in: '90d' },
    message: /expires_in is a whole number/,
  },
  {
    title: 'expires_in beyond all times',
    body: { ...good, expires_in: 9e14 },
    message: /expires_in is a whole/,
  },
  { title: 'expires_at null', body: { ...good, expires_at: null }, message: /expires_at is a time as/ },
  {
    title: 'expires_at no time',
    body: { ...good, expires_at: 'tomorrow' },
    message: /expires_at is a time as/,
  },
  {
    title: 'expires_at a day that is none',
    body: { ...good, expires_at: '2999-13-01T00:00:00Z' },
    message: /expires_at is a time as/,
  },
  {
    title: 'expires_at in the past',
    body: { ...good, expires_at: '2001-01-01T00:00:00Z' },
    message: /in the future/,
  },
]

test('POST /v1/keys refuses what it does not take, says why, and makes no key', async t => {
  const { as, ledger, faults } = await startAdmin(t)
  const before = [ledger.head().size, ledger.apiKeyCount]
  for (const { title, body, message, reason = 'invalid_key_settings' } of bodies) {
    const refused = await as('POST', '/v1/keys', body)
    assert.deepEqual([refused.status, refused.json.reason], [400, reason], `${title}: ${refused.text}`)
    assert.match(String(refused.json.message), message, title)
  }
  const long = await as('POST', '/v1/keys', { ...good, name: 'x'.repeat(20_000) })
  assert.equal(long.status, 413)
  for (const body of [
    { overlap: 1 },
    { overlap_seconds: -1 },
    { overlap_seconds: '1h' },
    { overlap_seconds: 1e9 },
    5,
  ]) {
    const id = ledger.apiKeys()[0]?.key_id
    const refused = await as('POST', `/v1/keys/${id}/rotate`, body)
    assert.deepEqual([refused.status, refused.json.reason], [400, 'invalid_key_settings'], refused.text)
  }
  assert.deepEqual([ledger.head().size, ledger.apiKeyCount], before)
  assert.deepEqual(faults, [])
})
