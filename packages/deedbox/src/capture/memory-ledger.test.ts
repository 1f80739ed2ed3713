import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox, type LedgerItem, LedgerUnavailable } from '../index.ts'
import { captureLog, memoryLedger } from './index.ts'

function item(event_name: string, more: Partial<LedgerItem> = {}): LedgerItem {
  return {
    payload: JSON.stringify({ event_name }),
    meta: { type: 'info', event_name, service: 's' },
    ...more,
  }
}

const quick = { linger: 1, backoff: { base: 1, cap: 2 } }

test('an event is seen parsed and as it was sent, and is found by any of its members', async () => {
  const ledger = memoryLedger()
  const { box } = captureLog({ ledger })
  const sent = await box.send(
    'order.paid',
    { order: 7 },
    { meta: { actor: { id: 'u' } }, idempotencyKey: 'k' },
  )
  await box.send('order.note', 'plain text')
  assert.equal(sent.txId, ledger.events[0]?.txId)
  assert.deepEqual(ledger.find({ event_name: 'order.paid', payload: { order: 7 } }).length, 1)
  assert.deepEqual(ledger.find({ meta: { actor: { id: /^u/ } }, idempotencyKey: 'k' }).length, 1)
  assert.deepEqual(ledger.find({ payload: { order: 8 } }), [])
  assert.equal(ledger.find({ event_name: 'order.note' })[0]?.payload, 'plain text')
  assert.equal(ledger.calls, 2)
  await box.close()
})

for (const over of ['in the same process', 'over HTTP'] as const) {
  const aBox = async (t: { after(done: () => Promise<void>): void }) => {
    const ledger = memoryLedger()
    const target = over === 'over HTTP' ? await ledger.listen() : ledger
    const { box } = captureLog({ ledger: target, audit: { ...quick, requests: true } })
    t.after(async () => {
      ledger.recover()
      await box.close()
      await ledger.close()
    })
    return { ledger, box }
  }

  test(`IP-06 IP-07 scripted failures ${over}: 503 is tried again, 429 and 401 are final`, async t => {
    const { ledger, box } = await aBox(t)
    ledger.fail({ status: 503, times: 2, retryAfter: 0 })
    assert.equal((await box.send('a', {})).duplicate, false)
    assert.equal(ledger.calls, 3)
    ledger.refuse(401, { times: 1 })
    await assert.rejects(box.send('b', {}), {
      code: 'rejected',
      reason: 'invalid_api_key',
      ledgerStatus: 401,
    })
    ledger.fail({ status: 409, reason: 'own_reason', times: 1 })
    await assert.rejects(box.send('c', {}), { code: 'rejected', reason: 'own_reason', ledgerStatus: 409 })
    ledger.quota({ times: 1 })
    await assert.rejects(box.send('d', {}), { code: 'quota_exceeded', ledgerStatus: 429 })
    assert.deepEqual(
      ledger.events.map(({ event_name }) => event_name),
      ['a'],
    )
  })

  test(`IF-30 scripted failures ${over}: stored, cut off and sent again is stored once`, async t => {
    const { ledger, box } = await aBox(t)
    ledger.cutAfterStoring()
    assert.equal((await box.send('a', {})).duplicate, true)
    ledger.cut({ times: 1 })
    assert.equal((await box.send('b', {})).duplicate, false)
    assert.deepEqual([ledger.events.length, ledger.calls], [2, 4])
  })

  test(`scripted failures ${over}: one event of a batch`, async t => {
    const { ledger, box } = await aBox(t)
    ledger.refuse(413, { event: 'b' })
    const results = await Promise.allSettled(['a', 'b', 'c'].map(name => box.send(name, {})))
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    ledger.recover()
    assert.equal((await box.send('b', {})).duplicate, false)
    assert.deepEqual(ledger.events.map(({ event_name }) => event_name).sort(), ['a', 'b', 'c'])
  })

  test(`scripted failures ${over}: slow and never answered calls`, async t => {
    const { ledger, box } = await aBox(t)
    ledger.slow(5, { times: 1 })
    assert.equal((await box.send('a', {})).duplicate, false)
    ledger.hang({ times: 1 })
    const waiting = box.send('b', {})
    await assert.rejects(box.send('c', {}, { timeout: 5 }), { code: 'timeout' })
    ledger.recover()
    assert.equal((await waiting).duplicate, false)
  })
}

test('failures are used up one after the other', async () => {
  const ledger = memoryLedger()
  ledger.fail({ status: 500, times: 1 })
  ledger.fail({ status: 502, times: 1, retryAfter: 3 })
  await assert.rejects(ledger.appendBatch([item('a')]), { message: 'it answered 500 (internal_error)' })
  await assert.rejects(ledger.appendBatch([item('a')]), error => {
    assert.ok(error instanceof LedgerUnavailable)
    assert.deepEqual([error.message, error.retryAfter], ['it answered 502 (http_502)', 3000])
    return true
  })
  const [result] = await ledger.appendBatch([item('a')])
  assert.equal(result?.ok, true)
  assert.throws(() => ledger.refuse(503), RangeError)
  assert.throws(() => ledger.fail({ status: 200 }), RangeError)
})

test('an event may fail for a while inside a batch', async () => {
  const ledger = memoryLedger()
  ledger.fail({ event: 'b', times: 1 })
  const results = await ledger.appendBatch([item('a'), item('b')])
  assert.deepEqual(
    results.map(result => [result.ok, 'retryable' in result && result.retryable]),
    [
      [true, false],
      [false, true],
    ],
  )
})

test('a service that ends with the ledger in memory needs no close of it', async () => {
  const box = deedbox({ service: 's', ledger: memoryLedger(), log: { sink: { write: () => undefined } } })
  assert.equal((await box.send('a', {})).duplicate, false)
  await box.close()
})
