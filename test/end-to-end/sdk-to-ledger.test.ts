import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Deedbox, deedbox } from 'deedbox'
import { observe } from 'deedbox/http'
import { checkLog, openTestLedger, tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'

const quiet = { write: () => undefined }

/** A small service on a real socket, observed by `box`. */
async function serve(t: TestContext, box: Deedbox): Promise<string> {
  const server: Server = createServer(
    observe(box)((request, response) => {
      if (request.url === '/named') box.event('order.placed')
      response.end('ok')
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => box.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function call(url: string): Promise<void> {
  const response = await fetch(url)
  await response.text()
}

test('IF-27 IP-06 requests become events in a ledger over HTTP, acknowledged and verifiable', async t => {
  const ledger = await startTestServer(t)
  const box = deedbox({
    service: 'shop',
    ledger: { url: ledger.url, apiKey: ledger.key },
    log: { sink: quiet },
  })
  const url = await serve(t, box)
  for (let n = 0; n < 30; n++) await call(`${url}/named`)
  assert.equal(await box.flush(10_000), true)
  assert.equal(box.stats().audit.delivered, 30)
  const { events } = ledger.ledger.search({ event_name: 'order.placed', limit: 100 })
  assert.equal(events.length, 30)
  assert.equal(new Set(events.map(event => event.request_id)).size, 30)
  assert.equal(checkLog(ledger.folder).verdict, 'ok')
})

test('IP-03 send resolves to the acknowledgement of a ledger opened in this process, promise or not', async t => {
  const folder = tempFolder(t)
  const opening = openTestLedger(t, folder)
  const box = deedbox({ service: 'job', ledger: opening, log: { sink: quiet } })
  t.after(() => box.close())
  const ack = await box.send('invoice.cancelled', { id: 'i_1' })
  assert.deepEqual([ack.status, ack.index, ack.duplicate], ['accepted', 0, false])
  const ledger = await opening
  const stored = ledger.event(ack.txId ?? '')
  assert.equal(stored.payload_hash, ack.payloadHash)
  assert.equal(stored.meta.event_name, 'invoice.cancelled')
  assert.equal(JSON.parse(stored.payload ?? '').id, 'i_1')
})

test('IF-34 IF-36 what a ledger would refuse is clamped before, and a refusal is final: nothing is sent for ever', async t => {
  const ledger = await startTestServer(t)
  const box = deedbox({
    service: 'shop',
    ledger: { url: ledger.url, apiKey: ledger.key },
    log: { sink: quiet },
    eventNames: 'path',
  })
  const url = await serve(t, box)
  await call(`${url}/${'long/'.repeat(2_000)}?q=${'x'.repeat(3_000)}`)
  await call(`${url}/%E6%97%A5%E6%9C%AC/%F0%9F%98%80`)
  await call(`${url}/named`)
  assert.equal(await box.flush(10_000), true)
  const { delivered, rejected, queued } = box.stats().audit
  assert.deepEqual({ delivered, rejected, queued }, { delivered: 3, rejected: 0, queued: 0 })
  await assert.rejects(
    box.send('x'.repeat(10_000), 'y'),
    (error: Error & { code: string }) => error.code === 'rejected' || error.code === 'invalid_event',
  )
})

test('IF-29 IF-30 a ledger that comes back late gets every event once', async t => {
  const ledger = await startTestServer(t)
  let down = true
  // A door in front of the real ledger: while it is shut, connections are cut; once, an answer is lost after storing.
  let lose = 1
  const door = createServer(async (request, response) => {
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk)
    if (down) return response.destroy()
    const { host, connection, ...headers } = request.headers as Record<string, string>
    const answer = await fetch(`${ledger.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers,
      body: Buffer.concat(body),
    })
    const text = await answer.text()
    if (lose-- > 0) return response.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  t.after(() => door.close())
  const doorUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
  const box = deedbox({
    service: 'shop',
    ledger: { url: doorUrl, apiKey: ledger.key },
    log: { sink: quiet },
    audit: { backoff: { base: 20, cap: 50 } },
  })
  const url = await serve(t, box)
  for (let n = 0; n < 20; n++) await call(`${url}/named`)
  assert.equal(await box.flush(200), false)
  assert.equal(ledger.ledger.search({ service: 'shop' }).events.length, 0)
  down = false
  assert.equal(await box.flush(10_000), true)
  assert.equal(ledger.ledger.search({ service: 'shop', limit: 100 }).events.length, 20)
  assert.equal(box.stats().audit.delivered, 20)
  assert(box.stats().audit.duplicate > 0, 'the lost answer was asked for again')
})

test("IP-08 a repeat under the caller's own key is recognised, however much later it is sent", async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  const box = deedbox({ service: 'job', ledger, log: { sink: quiet } })
  t.after(() => box.close())
  const first = await box.send('invoice.sent', { id: 'i_1' }, { idempotencyKey: 'invoice-i_1' })
  const again = await box.send('invoice.sent', { id: 'i_1' }, { idempotencyKey: 'invoice-i_1' })
  assert.deepEqual([again.duplicate, again.txId], [true, first.txId])
  assert.equal(ledger.head().size, 1)
})
