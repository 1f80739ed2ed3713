import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import type { LedgerClient, LedgerItem } from 'deedbox'
import { memoryLedger } from 'deedbox/testing'
import fc from 'fast-check'
import { openTestLedger, tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { meta, type TableRequest, table } from './requests.ts'

interface Address {
  readonly url: string
  readonly key: string
}

/** The real ledger behind its server, and the one in memory behind its own. */
async function bothServers(t: TestContext): Promise<[Address, Address]> {
  const real = await startTestServer(t)
  const memory = memoryLedger()
  t.after(() => memory.close())
  const { url, apiKey } = await memory.listen()
  return [real, { url, key: apiKey }]
}

async function answerOf({ url, key }: Address, request: TableRequest) {
  const { method = 'POST', path = '/v1/events', body } = request
  const headers = new Headers({ authorization: `Bearer ${key}` })
  if (body !== undefined) headers.set('content-type', 'application/json')
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) headers.delete(name)
    else headers.set(name, value)
  }
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
  const picked = [
    'content-type',
    'cache-control',
    'www-authenticate',
    'retry-after',
    'x-content-type-options',
  ]
  return {
    status: response.status,
    headers: Object.fromEntries(picked.map(name => [name, response.headers.get(name)])),
    body: (await response.json()) as Record<string, unknown>,
  }
}

/** An answer without what two ledgers never share: ids stand as the number of the event that they name. */
function comparable(value: unknown, ids: Map<string, number>, first: number): unknown {
  return JSON.parse(JSON.stringify(value), (name, member: unknown) => {
    if (name === 'index') return Number(member) - first
    if ((name === 'tx_id' || name === 'txId' || name === 'amends') && typeof member === 'string') {
      assert.match(member, /^tx_[0-9a-hjkmnp-tv-z]{24}$/)
      if (!ids.has(member)) ids.set(member, ids.size)
      return ids.get(member)
    }
    if (/^request_?id$/i.test(name) && /^[0-9a-f]{8}-[0-9a-f]{4}-4/.test(String(member))) return 'a new id'
    return member
  })
}

test('IF-27 IF-28 IF-30 IF-31 the ledger in memory answers each request as the real one does', async t => {
  const servers = await bothServers(t)
  const seen = await Promise.all(
    servers.map(async server => {
      const ids = new Map<string, number>()
      const first = await answerOf(server, table[0] as TableRequest)
      const from = Number(first.body.index)
      const answers = []
      for (const request of table) {
        const { body, ...rest } = await answerOf(server, request)
        answers.push({ request: request.name, ...rest, body: comparable(body, ids, from) })
      }
      return answers
    }),
  )
  const [real = [], memory = []] = seen
  for (const [i, answer] of real.entries()) assert.deepEqual(memory[i], answer, answer.request)
  const reasons = new Set(JSON.stringify(real).match(/(?<="reason":")\w+/g))
  assert.deepEqual([...reasons].sort(), [
    'batch_too_large',
    'body_too_large',
    'duplicate_key',
    'invalid_api_key',
    'invalid_event',
    'invalid_idempotency_key',
    'invalid_meta',
    'invalid_payload',
    'invalid_query',
    'invalid_text',
    'malformed_json',
    'meta_too_large',
    'method_not_allowed',
    'missing_api_key',
    'number_not_exact',
    'payload_too_large',
    'unknown_event',
    'unknown_route',
    'unsupported_content_type',
  ])
})

test('IP-08 a mark inside meta is content to both ledgers, and the number of the producer is none', async t => {
  for (const server of await bothServers(t)) {
    const answers = []
    for (const request of table.filter(
      ({ name }) => name.includes('mark inside') || name.includes('another number'),
    ))
      answers.push((await answerOf(server, request)).body)
    assert.deepEqual(
      answers.map(({ duplicate, amends }) => [duplicate, amends !== undefined]),
      [
        [false, false],
        [false, true],
        [true, false],
      ],
    )
  }
})

test('an event that both have stored is read in the same form', async t => {
  const [real, memory] = await Promise.all(
    (await bothServers(t)).map(async server => {
      const stored = await answerOf(server, { name: '', body: table[1]?.body ?? '' })
      const { body } = await answerOf(server, {
        name: '',
        method: 'GET',
        path: `/v1/events/${String(stored.body.tx_id)}`,
      })
      assert.match(String(body.at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.match(String(body.principal), /^writer_/)
      return { ...body, index: 0, tx_id: '', at: '', principal: '' }
    }),
  )
  assert.deepEqual(memory, real)
})

/** What a server says to raw bytes until it hangs up. */
async function told({ url }: Address, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  for (const part of parts) socket.write(part)
  const answer = (await text(socket)).replace('HTTP/1.1 100 Continue\r\n\r\n', '')
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const [status = ''] = head.split('\r\n')
  const closes = /^connection: close\r?$/im.test(head)
  return `${status} ${closes ? 'closes' : 'stays'} ${body.replace(/^[0-9a-f]+\r\n/, '')}`
}

test('what is no HTTP, too large a head and bodies without a length are refused in the same words', async t => {
  const servers = await bothServers(t)
  const post = ({ key }: Address, more: string) =>
    `POST /v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${more}\r\n`
  const chunked = 'Transfer-Encoding: chunked\r\nConnection: close\r\n'
  const filler = Buffer.alloc(0x80001, ' ')
  const all: ((server: Address) => readonly (string | Buffer)[])[] = [
    () => ['rubbish\r\n\r\n'],
    () => [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
    server => [post(server, `Content-Length: ${512 * 1024 + 1}\r\n`)],
    server => [post(server, chunked), '80001\r\n', filler],
    server => [post(server, chunked), '0\r\n\r\n'],
    server => [post(server, 'Content-Length: 0\r\nConnection: close\r\n')],
    server => [post(server, 'Expect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n'), 'x'],
    server => [post(server, 'Expect: wonders\r\nContent-Length: 1\r\nConnection: close\r\n'), 'x'],
  ]
  for (const [i, parts] of all.entries()) {
    const [real, memory] = await Promise.all(servers.map(server => told(server, ...parts(server))))
    assert.equal(memory, real, `raw request ${i}`)
  }
})

test('bodies with some bytes changed have the same answer from both', async t => {
  const servers = await bothServers(t)
  const bodies = table.flatMap(({ body, path }) =>
    typeof body === 'string' && body.length < 2_000 ? [{ body, path: path ?? '/v1/events' }] : [],
  )
  const change = fc.tuple(
    fc.nat(2_000),
    fc.nat(3),
    fc.constantFrom(
      '',
      '"',
      '{',
      '}',
      ',',
      ':',
      '\\u0000',
      '\\ud800',
      '\n',
      '1e999',
      'é',
      '"payload":',
      '\xff',
    ),
  )
  const ids: [Map<string, number>, Map<string, number>] = [new Map(), new Map()]
  const [real, memory] = servers
  const start = await answerOf(real, table[0] as TableRequest)
  await answerOf(memory, table[0] as TableRequest)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...bodies),
      fc.array(change, { maxLength: 3 }),
      async (request, changes) => {
        let body = Buffer.from(request.body)
        for (const [at, length, by] of changes) {
          const from = at % (body.length + 1)
          body = Buffer.concat([
            body.subarray(0, from),
            Buffer.from(by, 'latin1'),
            body.subarray(from + length),
          ])
        }
        const isLines = body.includes('\n') && request.path !== '/v1/events'
        const headers = { 'content-type': isLines ? 'application/x-ndjson' : 'application/json' }
        const sent = { name: '', path: request.path, body, headers }
        const [first, second] = await Promise.all([answerOf(real, sent), answerOf(memory, sent)])
        assert.deepEqual(
          { ...second, body: comparable(second.body, ids[1], 0) },
          { ...first, body: comparable(first.body, ids[0], Number(start.body.index)) },
        )
      },
    ),
    { numRuns: 300 },
  )
})

/** The real ledger and the one in memory, both in this process. */
async function bothClients(t: TestContext): Promise<[LedgerClient, LedgerClient]> {
  const real = (await openTestLedger(t, tempFolder(t))) as unknown as LedgerClient
  return [real, memoryLedger()]
}

async function resultsOf(client: LedgerClient, batches: readonly (readonly unknown[])[]): Promise<unknown[]> {
  const ids = new Map<string, number>()
  const [start] = await client.appendBatch([{ payload: '', meta } as LedgerItem])
  assert.ok(start?.ok)
  const results = []
  for (const batch of batches)
    results.push(comparable(await client.appendBatch(batch as readonly LedgerItem[]), ids, start.index ?? 0))
  return results
}

test('IF-29 in the same process the two give the same results, amendments and refusals included', async t => {
  const parsed = table.flatMap(({ path, body }) => {
    if (path !== undefined || typeof body !== 'string') return []
    try {
      return [JSON.parse(body) as unknown].filter(value => typeof value === 'object' && value !== null)
    } catch {
      return []
    }
  })
  const cycle: Record<string, unknown> = { ...meta }
  cycle.self = cycle
  const odd = [
    { payload: 'half \ud800', meta },
    { payload: 'p', meta: { ...meta, note: 'half \ud800' } },
    { payload: 'p', meta: { ...meta, note: '\0' } },
    { payload: 'p', meta: { ...meta, n: Number.NaN } },
    { payload: 'p', meta: { ...meta, n: undefined } },
    { payload: 'p', meta: cycle },
    { payload: 'p', meta, requestId: '' },
    { payload: 'p', meta, requestId: 'r-1' },
    ...['', 7, 'k'.repeat(2049), 'half \ud800', 'k', 'k'].map(idempotencyKey => ({
      payload: 'p',
      meta,
      idempotencyKey,
    })),
    { payload: 'q', meta, idempotencyKey: 'k' },
    { payload: 'q', meta, idempotencyKey: 'k' },
  ]
  const batches = [
    parsed,
    odd,
    [],
    [{ payload: 'p', meta, idempotencyKey: 'k' }],
    [{ payload: 'r', meta, idempotencyKey: 'k' }],
  ]
  const [real, memory] = await Promise.all((await bothClients(t)).map(client => resultsOf(client, batches)))
  assert.deepEqual(memory, real)
})

test('any meta and key has the same fate in both', async t => {
  const [real, memory] = await bothClients(t)
  const names = [
    'type',
    'event_name',
    'service',
    'env',
    'actor',
    'targets',
    'changes',
    'producer',
    'reason',
    'own',
  ]
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('info', { id: 'u' }, [{ id: 'o' }], [{ path: 'p' }], { id: 'p', seq: 1 }),
  )
  const anyMeta = fc
    .tuple(fc.boolean(), fc.dictionary(fc.constantFrom(...names), value))
    .map(([isWhole, members]) => (isWhole ? { ...members, ...meta } : { ...meta, ...members }))
  const item = fc.record({
    payload: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a', 'b')),
    meta: anyMeta,
    idempotencyKey: fc.oneof(fc.constant(undefined), fc.constantFrom('k1', 'k2'), fc.string()),
  })
  const ids: [Map<string, number>, Map<string, number>] = [new Map(), new Map()]
  const [start] = await real.appendBatch([{ payload: '', meta } as LedgerItem])
  await memory.appendBatch([{ payload: '', meta } as LedgerItem])
  const first = start?.ok === true ? (start.index ?? 0) : 0
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 8 }), async items => {
      const batch = items as unknown as readonly LedgerItem[]
      const results = await Promise.all([real.appendBatch(batch), memory.appendBatch(batch)])
      assert.deepEqual(comparable(results[1], ids[1], 0), comparable(results[0], ids[0], first))
    }),
    { numRuns: 200 },
  )
})
