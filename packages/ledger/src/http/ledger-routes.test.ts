import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { decodeEntryBundle, openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { newApiKey, type Scope } from '../access/index.ts'
import { startTestServer, type TestServer } from '../testing/temp-server.ts'

async function keyFor(server: TestServer, ledger: string, scopes: readonly Scope[]): Promise<string> {
  const key = newApiKey()
  await server.ledger.createApiKey(key, 'test', scopes, { ledger })
  return key
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

async function withCerts(
  t: Parameters<typeof startTestServer>[0],
): Promise<{ server: TestServer; key: string }> {
  const server = await startTestServer(t)
  await server.ledger.createLedger({ name: 'certs', kind: 'raw' })
  return { server, key: await keyFor(server, 'certs', ['write', 'verify']) }
}

test('P11 /add takes the bytes as they come, whatever they are called, and answers the index without a newline', async t => {
  const { server, key } = await withCerts(t)
  const bodies = [
    Buffer.from('{"a":1, "a":2}'),
    Buffer.from([0, 255, 13, 10]),
    Buffer.alloc(65_535, 1),
    Buffer.alloc(0),
  ]
  const types = ['application/json', 'application/octet-stream', 'text/plain; charset=latin1', 'image/png']
  for (const [index, body] of bodies.entries()) {
    const headers = { ...bearer(key), 'content-type': types[index] ?? '' }
    const answer = await server.call('POST', '/ledgers/certs/add', { body, headers })
    assert.deepEqual([answer.status, answer.text], [200, String(index)], answer.text)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
  }
  assert.equal(await bareAdd(server, key, Buffer.from('no type')), '4')
  assert.equal(await bareAdd(server, key, undefined), '5')
  await server.stop()
  const log = server.ledger.logOf('certs')
  const stored = decodeEntryBundle(log?.entries(0, 6) ?? new Uint8Array()).map(Buffer.from)
  assert.deepEqual(stored, [...bodies, Buffer.from('no type'), Buffer.alloc(0)])
  assert.deepEqual(server.faults, [])
})

/** Without a content type, which `fetch` cannot do with a body. */
function bareAdd(server: TestServer, key: string, body: Buffer | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${server.url}/ledgers/certs/add`,
      { method: 'POST', headers: bearer(key) },
      response => {
        let text = ''
        response.setEncoding('utf8').on('data', part => {
          text += part
        })
        response.on('end', () => resolve(text))
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

test('/add refuses with a reason: too large, packed, not raw, not there, another key', async t => {
  const { server, key } = await withCerts(t)
  const reader = await keyFor(server, 'certs', ['verify'])
  const large = Buffer.alloc(65_536)
  const calls = [
    ['/ledgers/certs/add', bearer(key), large, 413, 'body_too_large'],
    [
      '/ledgers/certs/add',
      { ...bearer(key), 'content-encoding': 'gzip' },
      'x',
      415,
      'unsupported_content_type',
    ],
    ['/ledgers/main/add', bearer(server.key), 'x', 400, 'invalid_ledger'],
    ['/ledgers/none/add', bearer(server.key), 'x', 404, 'unknown_ledger'],
    ['/ledgers/certs/add', bearer(server.key), 'x', 403, 'insufficient_scope'],
    ['/ledgers/certs/add', bearer(reader), 'x', 403, 'insufficient_scope'],
    ['/ledgers/certs/add', bearer('nobody'), 'x', 401, 'invalid_api_key'],
    ['/ledgers/none/add', bearer('nobody'), 'x', 401, 'invalid_api_key'],
    ['/v1/events', bearer(key), '{}', 403, 'insufficient_scope'],
  ] as const
  for (const [path, headers, body, status, reason] of calls) {
    const answer = await server.call('POST', path, { body, headers })
    assert.deepEqual([answer.status, answer.json.reason], [status, reason], `${path} ${answer.text}`)
  }
  assert.equal((await server.call('GET', '/ledgers/certs/add')).status, 405)
  assert.equal(server.ledger.logOf('certs')?.head().size, 0, 'what was refused is not stored')
  const full = await startTestServer(t, { maxBytesInFlight: 10 })
  await full.ledger.createLedger({ name: 'certs', kind: 'raw' })
  const headers = bearer(await keyFor(full, 'certs', ['write']))
  const answer = await full.call('POST', '/ledgers/certs/add', { body: 'more than ten bytes', headers })
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1'])
})

test('P12 P30 key, checkpoint and tiles of each ledger of the file are served under its name, for its keys', async t => {
  const { server, key } = await withCerts(t)
  for (const body of ['a', 'b'])
    await server.call('POST', '/ledgers/certs/add', { body, headers: bearer(key) })
  const get = (path: string, own: string) => server.call('GET', path, { headers: bearer(own) })
  const vkey = (await get('/ledgers/certs/vkey', key)).text.trim()
  assert.match(vkey, /\.deedbox\.invalid\/certs\+/)
  const note = (await get('/ledgers/certs/checkpoint', key)).text
  const checkpoint = openCheckpoint(nodeCrypto, note, [parseVerifierKey(nodeCrypto.sha256, vkey)])
  assert(checkpoint.size >= 1)
  const tile = await get('/ledgers/certs/tile/entries/000.p/2', key)
  assert.deepEqual(
    [tile.text, tile.headers.get('cache-control')],
    ['\0\u0001a\0\u0001b', 'private, max-age=31536000, immutable'],
  )
  const missing = await get('/ledgers/certs/tile/0/000.p/3', key)
  assert.deepEqual([missing.status, missing.headers.get('cache-control')], [404, 'no-store'])
  assert.equal((await get('/ledgers/certs/checkpoint', server.key)).status, 403)
  assert.equal((await get('/ledgers/main/checkpoint', key)).status, 403)
  assert.notEqual((await get('/ledgers/main/vkey', server.key)).text.trim(), vkey)
  assert.equal((await fetch(`${server.url}/ledgers/none/vkey`)).status, 401, 'names are not for strangers')
})

test('/v1/ledgers lists and creates, for keys of the first ledger with the scope admin', async t => {
  const { server, key } = await withCerts(t)
  const admin = bearer(await keyFor(server, 'main', ['admin']))
  const wanted = { name: 'builds', kind: 'raw', origin: 'log.example.com/builds' }
  const created = await server.call('POST', '/v1/ledgers', { body: wanted, headers: admin })
  assert.equal(created.status, 201, created.text)
  const { ok, verifier_keys: keys, created_at: createdAt, ...rest } = created.json
  assert.deepEqual([ok, rest], [true, { ...wanted, size: 0 }])
  assert.match(String(keys), /^log\.example\.com\/builds\+/)
  assert.match(String(createdAt), /^\d{4}-.*Z$/)
  const listed = await server.call('GET', '/v1/ledgers', { headers: admin })
  const names = (listed.json.ledgers as { name: string; kind: string }[]).map(({ name, kind }) => [
    name,
    kind,
  ])
  assert.deepEqual(names, [
    ['main', 'events'],
    ['certs', 'raw'],
    ['builds', 'raw'],
  ])
  const [leaf] = server.ledger.search({
    event_name: 'deedbox.ledger.created',
    order: 'desc',
    limit: 1,
  }).events
  const { by, ...recorded } = JSON.parse(leaf?.payload ?? '{}')
  assert.deepEqual(recorded, { ...wanted, verifier_key: (keys as string[])[0] })
  assert.match(by, /^writer_/, 'the leaf says whose key it was')
  const refusals = [
    [{ name: 'builds', kind: 'raw' }, 409, 'ledger_exists'],
    [{ name: 'x', kind: 'events' }, 400, 'invalid_ledger'],
    [{ name: 'x', kind: 'other' }, 400, 'invalid_ledger'],
    [{ name: 5, kind: 'raw' }, 400, 'invalid_ledger'],
    [{ name: 'x', kind: 'raw', origin: 5 }, 400, 'invalid_ledger'],
    [{ name: 'x', kind: 'raw', more: 1 }, 400, 'invalid_ledger'],
    [[], 400, 'invalid_ledger'],
    ['', 400, 'malformed_json'],
  ] as const
  for (const [body, status, reason] of refusals) {
    const answer = await server.call('POST', '/v1/ledgers', { body, headers: admin })
    assert.deepEqual([answer.status, answer.json.reason], [status, reason], JSON.stringify(body))
  }
  for (const headers of [bearer(server.key), bearer(key)]) {
    assert.equal((await server.call('GET', '/v1/ledgers', { headers })).status, 403)
    assert.equal((await server.call('POST', '/v1/ledgers', { body: wanted, headers })).status, 403)
  }
  assert.deepEqual(server.faults, [])
})
