import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { type Deedbox, type DeedboxOptions, deedbox, ReceiptError, SendError } from 'deedbox'
import { printedKey, startLedger, tempFolder } from './ledger-process.ts'

const apiKey = `deed_live_${'k'.repeat(43)}`

function aBox(t: TestContext, options: DeedboxOptions): Deedbox {
  const quiet = { sink: { write: () => undefined } }
  const box = deedbox({ service: 'tests', flushOnSignal: false, log: quiet, ...options })
  t.after(() => box.close(0))
  return box
}

/** A server that gives one answer to everything. */
async function answering(t: TestContext, status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body))
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

test('ruling 21 a receipt over HTTP is fetched and checked in one call, and by the send itself', async t => {
  const ledger = await startLedger(t, tempFolder(t), { DEEDBOX_BOOTSTRAP_KEY: apiKey })
  const verifierKey = printedKey(ledger)
  const remote = { url: ledger.url, apiKey }
  const box = aBox(t, { ledger: remote, audit: { verifierKey } })
  const sent = await box.send('order.placed', { order: 'o-1' }, { receipt: true })
  const { receipt } = sent
  assert.deepEqual(
    [receipt?.ok, receipt?.verdict, receipt?.txId, receipt?.index],
    [true, 'ok', sent.txId, sent.index],
    receipt?.detail,
  )
  assert.match(receipt?.text ?? '', /^c2sp\.org\/tlog-proof@v1\n/)
  const disclosed = await box.receipt(sent, { disclose: ['payload'] })
  assert.deepEqual([disclosed.ok, disclosed.verdict], [true, 'ok'])
  assert.ok((disclosed.size ?? 0) > (disclosed.index ?? 0))

  const unpinned = await aBox(t, { ledger: remote }).receipt(String(sent.txId))
  assert.deepEqual([unpinned.ok, unpinned.verdict], [false, 'ok_unpinned'], 'nothing vouches for it')
  const other = await openLedger(join(tempFolder(t), 'other.db'), { inline: true })
  t.after(() => other.close())
  const foreign = await box.receipt(sent, { verifierKey: other.verifierKey })
  assert.deepEqual([foreign.ok, foreign.verdict], [false, 'bad_signature'])

  const another = await box.send('order.placed', { order: 'o-2' })
  const swapped = await answering(t, 200, (await box.receipt(another, { disclose: ['payload'] })).text)
  const deceived = aBox(t, { ledger: { url: swapped, apiKey }, audit: { verifierKey } })
  const wrong = await deceived.receipt(sent)
  assert.deepEqual([wrong.ok, wrong.verdict], [false, 'content_mismatch'])
  assert.match(wrong.detail, new RegExp(`not of ${sent.txId}`))
  const swappedPayload = await deceived.receipt({ ...another, payloadHash: sent.payloadHash })
  assert.deepEqual([swappedPayload.ok, swappedPayload.verdict], [false, 'content_mismatch'])
})

test('ruling 21 a receipt of a ledger in this process is checked just so', async t => {
  const ledger = await openLedger(join(tempFolder(t), 'audit.db'), { inline: true })
  t.after(() => ledger.close())
  const box = aBox(t, { ledger, audit: { verifierKey: ledger.verifierKey } })
  const { txId, receipt } = await box.send('a.b', {}, { receipt: true })
  assert.deepEqual([receipt?.verdict, receipt?.txId], ['ok', txId])
  await assert.rejects(box.receipt('tx_00000099aaaaaaaaaaaaaaaa'), {
    name: 'ReceiptError',
    code: 'unknown_event',
  })
})

test('ruling 21 each way in which there is no receipt has its code', async t => {
  const ledger = await startLedger(t, tempFolder(t), { DEEDBOX_BOOTSTRAP_KEY: apiKey })
  const refusedBy = async (url: string, key = apiKey): Promise<unknown> =>
    aBox(t, { ledger: { url, apiKey: key } })
      .receipt('tx_00000000aaaaaaaaaaaaaaaa')
      .then(String, (error: unknown) => (error instanceof ReceiptError ? error.code : String(error)))
  assert.equal(await refusedBy(ledger.url), 'unknown_event')
  assert.equal(await refusedBy(ledger.url, `${apiKey}x`), 'refused')
  assert.equal(await refusedBy(await answering(t, 404, '{"message":"no such route"}')), 'no_ledger')
  assert.equal(await refusedBy(await answering(t, 503, '')), 'unavailable')
  assert.equal(await refusedBy('http://127.0.0.1:1'), 'unavailable')
  assert.equal(await refusedBy(await answering(t, 200, 'hello')), 'malformed')
  const logging = aBox(t, { ledger: null })
  await assert.rejects(logging.receipt('tx_1'), { code: 'no_ledger' })
  await assert.rejects(
    aBox(t, { ledger: { url: ledger.url, apiKey } }).receipt('tx_1', { verifierKey: 'no key' }),
    {
      name: 'ReceiptError',
    },
  )

  const stored = '{"ok":true,"tx_id":"tx_1","payload_hash":"00","status":"accepted","duplicate":false}'
  const writeOnly = aBox(t, { ledger: { url: await answering(t, 202, stored), apiKey } })
  const failure: unknown = await writeOnly.send('a.b', {}, { receipt: true }).catch((error: unknown) => error)
  assert.ok(failure instanceof SendError)
  assert.deepEqual([failure.code, failure.acknowledgement?.txId], ['no_receipt', 'tx_1'])
  assert.match(failure.message, /^The event is stored as tx_1, but/)
})

test('DEEDBOX_VERIFIER_KEY is read at start, and what cannot be a key is refused by name', t => {
  for (const key of ['secret', 'a+b+c', 'ledger.example/a+f1d8e151']) {
    assert.throws(() => aBox(t, { audit: { verifierKey: key } }), { setting: 'audit.verifierKey' })
  }
  process.env.DEEDBOX_VERIFIER_KEY = 'nonsense'
  t.after(() => delete process.env.DEEDBOX_VERIFIER_KEY)
  assert.throws(() => aBox(t, {}), { setting: 'DEEDBOX_VERIFIER_KEY' })
})
