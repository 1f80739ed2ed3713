// Every call of the ledger's HTTP interface, with whatever a client could send to it over a real socket.

import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test } from 'node:test'
import { newApiKey } from '../../packages/ledger/src/access/index.ts'
import { verdicts } from '../../packages/ledger/src/testing/raw-ledgers.ts'
import { startTestServer, type TestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { fuzzAsync, requireReached } from './fuzz.ts'
import { acknowledged, checkAnswer, checkLedger, type FuzzRequest, send } from './http-answers.ts'
import { mutate, mutateText, numberEdges } from './mutator.ts'
import type { Random } from './random.ts'

const methods = [
  'GET',
  'GET',
  'HEAD',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
]

const meta = {
  type: 'info',
  event_name: 'a.b',
  service: 's',
  env: 'e',
  actor: { id: 'u' },
  x: [1, { y: null }],
}
const event = (payload: string) => JSON.stringify({ payload, meta })
const bodies = [
  event('one'),
  event('{"amount":299.9,"note":"naïve €"}'),
  `[${event('a')},${event('b')},${JSON.stringify({ payload: 'c', meta, idempotency_key: 'k' })}]`,
  `${event('l1')}\n\r\n${event('l2')}\n${JSON.stringify({ payload: 'l3', meta, idempotency_key: 'k' })}\n`,
  '[]',
  'null',
].map(text => Buffer.from(text))

const origin = 'log.example.com/x'
const keyBodies = [
  { name: 'n', scopes: ['write'] },
  { name: 'n', scopes: ['read', 'verify'], expires_in: 9, ledger: 'certs' },
  { overlap_seconds: 1 },
].map(body => Buffer.from(JSON.stringify(body)))
const ledgerBodies = [
  { name: 'x', kind: 'raw' },
  { name: 'y', kind: 'raw', origin },
].map(body => Buffer.from(JSON.stringify(body)))

const contentTypes = [
  ...['application/json', 'application/json', 'application/json; charset=utf-8', 'application/x-ndjson'],
  ...[
    'APPLICATION/X-NDJSON ; a=b',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-ndjsonx',
    ';',
    '',
  ],
]

const queryNames = [
  ...[
    'type',
    'event_name',
    'service',
    'env',
    'request_id',
    'trace_id',
    'immutable_trail',
    'actor',
    'subject',
  ],
  ...['correlation_id', 'outcome', 'kind', 'since', 'until', 'order', 'limit', 'cursor', 'as_of', 'receipt'],
  ...['disclose', '__proto__', 'constructor', 'toString', 'limit[]', 'q'],
]
const queryValues = [
  ...[
    '',
    'a.b',
    's',
    'u',
    'info',
    'event',
    'asc',
    'desc',
    '1',
    '0',
    'payload',
    'core,context,payload,server',
    'payload,,x',
  ],
  ...['2026-11-20T18:00:00Z', '2026-02-30T25:61:61Z', '+275760-09-13T00:00:00Z', '0000-01-01T00:00:00+14:00'],
  ...[
    '%00',
    '%',
    '%zz',
    '%ff',
    '%c0%ae',
    '%ed%a0%80',
    '%F0%9F%98%80',
    'a'.repeat(1_025),
    "' OR 1=1 --",
    '[object Object]',
  ],
]

type Route = [path: string, methods: string[]]

/** What is known of the server under test, to build requests that get somewhere. */
interface Target {
  server: TestServer
  /** Path templates of /v1/openapi.json, with the methods that each has. */
  routes: Route[]
  /** Those that store something. */
  writes: Route[]
  txIds: string[]
  /** Of an API key that nobody needs. */
  keyId: string
  /** Who administrates. */
  adminKey: string
  /** Who adds to the raw ledger `certs`. */
  rawKey: string
}

/** The key that a path takes, and bodies of the kind that it takes. */
function fitting(path: string, { server, adminKey, rawKey }: Target): { key: string; bodies: Buffer[] } {
  if (path.startsWith('/v1/keys')) return { key: adminKey, bodies: keyBodies }
  if (path.startsWith('/v1/ledgers')) return { key: adminKey, bodies: ledgerBodies }
  return { key: path.startsWith('/ledgers/certs') ? rawKey : server.key, bodies }
}

function parameter(random: Random, { txIds, keyId }: Target, name: string): string {
  if (random.once(4)) return escaped(mutateText(random, random.pick(txIds), numberEdges))
  switch (name) {
    case 'tx_id':
      return random.pick([...txIds, 'tx_', `tx_${'z'.repeat(24)}`, `tx_${'0'.repeat(24)}`])
    case 'key_id':
      return random.pick([keyId, 'key_none', '__proto__'])
    case 'name':
      return random.pick(['main', 'main', 'certs', 'certs', 'other', '..', '%2e%2e'])
    default: {
      const path = random.pick([
        '0/000',
        '0/000.p/3',
        'entries/000',
        'entries/000.p/2',
        '1/000.p/1',
        '63/x001/000',
      ])
      return random.once(2) ? path : escaped(mutateText(random, path, ['0/x001/x234/067.p/255']))
    }
  }
}

/** What Node lets stand in a request line: visible ASCII. */
function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, c => encodeURIComponent(c.isWellFormed() ? c : '\ufffd'))
}

function query(random: Random): string {
  if (random.once(3)) return ''
  const pairs = Array.from({ length: 1 + random.below(4) }, () => {
    const value = random.once(3) ? random.pick(numberEdges) : random.pick(queryValues)
    return `${random.pick(queryNames)}=${random.once(6) ? mutateText(random, value, queryValues) : value}`
  })
  return `?${pairs.map(escaped).join(random.pick(['&', '&', '&&', ';']))}`
}

function headers(random: Random, key: string): Record<string, string> {
  const given: Record<string, string> = {}
  if (!random.once(8)) given.authorization = `Bearer ${key}`
  else given.authorization = value(mutateText(random, `Bearer ${key}`, ['Basic eDp5', '']))
  given['content-type'] = random.pick(contentTypes)
  if (random.once(6)) given['content-encoding'] = random.pick(['gzip', 'identity', 'br', ''])
  if (random.once(3))
    given['idempotency-key'] = value(random.pick(['k', 'ü/%2F', mutateText(random, 'key', ['x'])]))
  if (random.once(4)) given['request-id'] = value(mutateText(random, 'request-1', numberEdges))
  if (random.once(4)) given['accept-encoding'] = 'gzip, br'
  if (random.once(8)) given.expect = random.pick(['100-continue', 'nothing'])
  if (random.once(8)) given['x-http-method-override'] = 'DELETE'
  if (random.once(8)) given.range = 'bytes=0-3'
  if (random.once(8)) given['if-none-match'] = '*'
  return given
}

/** A header's value as Node takes it. */
function value(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
}

/** Half of the requests are right but for their body: what is refused at the door says nothing about the rooms. */
function madeRequest(random: Random, target: Target): FuzzRequest {
  const isRight = random.once(2)
  const [template, own] = isRight && random.once(2) ? random.pick(target.writes) : random.pick(target.routes)
  const method = !isRight && random.once(2) ? random.pick(methods) : random.pick(own).toUpperCase()
  let path = template.replace(/\{(.+?)\}/g, (_, name: string) => parameter(random, target, name))
  if (!isRight && random.once(5))
    path = `/${escaped(mutateText(random, path.slice(1), ['v1/events', '../..']))}`
  if (isRight && method === 'POST') path += random.pick(['', '', '?receipt=1'])
  else path += query(random)
  const hasBody = method !== 'HEAD' && (method === 'GET' ? random.once(20) : isRight || !random.once(10))
  const { key, bodies: seeds } = fitting(path, target)
  const body = random.once(3) ? random.pick(seeds) : Buffer.from(mutate(random, random.pick(seeds), bodies))
  const right = {
    authorization: `Bearer ${key}`,
    'content-type': random.pick(contentTypes.slice(0, 4)),
  }
  const given = isRight ? right : headers(random, key)
  if (!hasBody) return { method, path, headers: given, body: Buffer.alloc(0) }
  const framing: Record<string, string> = random.once(3)
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': String(body.length) }
  return { method, path, headers: { ...given, ...framing }, body }
}

async function targetOf(server: TestServer, promised: Map<string, string>): Promise<Target> {
  for (const body of bodies.slice(0, 2)) {
    const { json } = await server.call('POST', '/v1/events', { body })
    for (const [txId, hash] of acknowledged(json)) promised.set(txId, hash)
  }
  const { json } = await server.call('GET', '/v1/openapi.json')
  const paths = Object.entries(json.paths as Record<string, object>)
  const routes = paths.map(([path, calls]): Route => [path, Object.keys(calls)])
  assert.ok(routes.length > 8)
  for (const path of ['/v1/keys', '/v1/ledgers', '/ledgers/{name}/add']) {
    assert.ok(path in (json.paths as object), path)
  }
  await server.ledger.createLedger({ name: 'certs', kind: 'raw' })
  const [adminKey, rawKey] = [newApiKey(), newApiKey()]
  await server.ledger.createApiKey(adminKey, 'admin', ['admin'])
  await server.ledger.createApiKey(rawKey, 'certs', ['write', 'verify'], { ledger: 'certs' })
  const { keyId } = await server.ledger.createApiKey(newApiKey(), 'nobody', ['read'])
  return {
    server,
    routes: [...routes, ['/v1/openapi.json', ['get']], ['/', ['get']]],
    writes: [
      ['/v1/events', ['post']],
      ['/v1/events/batch', ['post']],
      ['/ledgers/certs/add', ['post']],
    ],
    txIds: [...promised.keys()],
    keyId,
    adminKey,
    rawKey,
  }
}

test('P27 P30 whatever is asked over HTTP: an answer in our form, no fault, and the ledger holds what it promised', async t => {
  const server = await startTestServer(t)
  const promised = new Map<string, string>()
  const target = await targetOf(server, promised)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  t.after(() => agent.destroy())
  const added: number[] = []
  const reached = { 200: 0, 201: 0, 202: 0, 400: 0, 401: 0, 404: 0, 405: 0, 415: 0 }
  await fuzzAsync('http', 90, async (random, note) => {
    const requests = Array.from({ length: 8 }, () => madeRequest(random, target))
    note(requests)
    const answers = await Promise.all(requests.map(request => send(server, agent, request)))
    for (const [i, answer] of answers.entries()) {
      if (answer === undefined) continue
      note(requests[i])
      if (answer.status in reached) reached[answer.status as 200]++
      if (requests[i]!.method === 'POST' && answer.headers['content-type']?.startsWith('text/plain')) {
        added.push(Number(answer.body))
      }
      const found = acknowledged(checkAnswer(server, answer, requests[i]!.method === 'HEAD'))
      for (const [txId, hash] of found) promised.set(txId, hash)
    }
  })
  requireReached(reached)
  t.diagnostic(
    `answers ${JSON.stringify(reached)}, ${promised.size} events and ${added.length} raw entries stored`,
  )
  await checkLedger(server, promised)
  const indices = Array.from({ length: server.ledger.logOf('certs')?.head().size ?? 0 }, (_, i) => i)
  assert.deepEqual(
    added.sort((a, b) => a - b),
    indices,
  )
  for (const [name, verdict] of Object.entries((await verdicts(server.folder, [])).verdicts)) {
    assert.match(
      verdict,
      name === 'main' || name === 'certs' ? /^ok_unpinned$/ : /^(ok_unpinned|nothing_checked)$/,
    )
  }
})
