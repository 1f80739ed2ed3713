import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { aBox, aLedger } from '../testing/ledger-events.ts'
import { keepAll } from '../testing/ledger-stand-in.ts'

const login = JSON.stringify({ user: 'ada', password: 'correct horse battery' })
const hash = createHash('sha256').update(login).digest('hex')

/** The error block of the event of a login that was sent to a route that is not there, as the ledger got it. */
async function storedError(t: TestContext, includeBody: boolean): Promise<Record<string, unknown>> {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, {
    ledger: { url: ledger.url, apiKey: 'k' },
    ...(includeBody ? { includeBody } : {}),
  })
  const handler = observe(box)((request, response) => {
    request.resume().on('end', () => response.writeHead(404).end())
  })
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lgoin`
  const headers = { 'Content-Type': 'application/json', Connection: 'close' }
  assert.equal((await fetch(url, { method: 'POST', headers, body: login })).status, 404)
  assert.equal(await box.flush(), true)
  assert(!JSON.stringify(ledger.calls).includes('correct horse'), 'the secret is in no byte that was sent')
  const [item] = ledger.stored.values()
  return JSON.parse(item?.payload ?? '').error
}

test('X-14 IF-25 ruling 17 a body is hashed, and its text is in no event unless asked for', async t => {
  assert.deepEqual(await storedError(t, false), {
    status_code: 404,
    retryable: false,
    request_body_hash: hash,
  })
})

test('X-14 IF-25 ruling 17 asked for, the text is there without its secrets, and the hash is of the bytes that came', async t => {
  const { request_body, request_body_hash } = await storedError(t, true)
  assert.equal(request_body, '{"user":"ada","password":"[redacted]"}')
  assert.equal(request_body_hash, hash)
})
