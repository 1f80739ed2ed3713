import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LedgerUnavailable, SendError } from '../../audit/index.ts'
import { deedbox } from '../../index.ts'
import { aLedger, noticesOf } from '../../testing/ledger-events.ts'
import { keepAll, type Script, until } from '../../testing/ledger-stand-in.ts'
import { aSender, setVariables } from '../../testing/originals.ts'
import {
  type OriginalEvent,
  sendAll,
  sendEvent,
  sendEventsBatch,
  sendEventWithRetry,
  sendOne,
} from './send-event.ts'

const paid: OriginalEvent = {
  eventName: 'payment.approved',
  payload: { payment_id: 'pay_1', amount: 299.9, card_token: 'secret-token' },
  kind: 'success',
  service: 'payments',
}

const refusing =
  (status: number): Script =>
  () => ({ status, body: { ok: false, reason: 'no', message: 'not this one' } })

test('IP-03 IP-04 IP-05 one post with all headers, and the ledger’s whole answer', async t => {
  const ledger = await aLedger(t, call => ({
    status: 202,
    body: {
      ok: true,
      tx_id: 'tx-1',
      payload_hash: 'ab',
      status: 'accepted',
      duplicate: false,
      request_id: 'r',
      more: [call.path],
    },
  }))
  const { sender } = aSender(t, ledger.url)
  assert.deepEqual(await sendOne(sender, paid), {
    ok: true,
    tx_id: 'tx-1',
    payload_hash: 'ab',
    status: 'accepted',
    duplicate: false,
    request_id: 'r',
    more: ['/v1/events'],
  })
  const [call] = ledger.calls
  const { meta = {}, payload = '', key } = call?.items[0] ?? {}
  assert.deepEqual(
    [meta.type, meta.event_name, meta.service, meta.env],
    ['success', 'payment.approved', 'payments', 'production'],
  )
  const { timestamp, ...rest } = JSON.parse(payload)
  assert.deepEqual(rest, { payment_id: 'pay_1', amount: 299.9, card_token: '[redacted]' })
  assert.ok(!Number.isNaN(Date.parse(timestamp)))
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
})

test('IP-04 IF-36 a caller’s timestamp stays; what is too large is cut to 12,000 bytes, and says so', async t => {
  const ledger = await aLedger(t, keepAll)
  const { sender } = aSender(t, ledger.url)
  const timestamp = '2026-01-02T03:04:05Z'
  await sender.send('large', { id: 'l1', timestamp, blob: '日'.repeat(10_000), kept: 1 }, {})
  const text = ledger.calls[0]?.items[0]?.payload ?? ''
  assert.ok(Buffer.byteLength(text) <= 12_000)
  assert.deepEqual(JSON.parse(text), { id: 'l1', timestamp, kept: 1, truncated: ['blob'] })
})

test('IP-04 IF-36 that a payload is cut is in each answer, and in one line for each name', async t => {
  const ledger = await aLedger(t, keepAll)
  const { sender, lines } = aSender(t, ledger.url)
  const order = {
    id: 'o',
    error: 'declined',
    lines: Array.from({ length: 1_000 }, (_, n) => `sku-${n}-${n}`),
  }
  const once = { maxRetries: 1, baseDelay: 0 }
  for (const _ of [1, 2]) {
    assert.deepEqual((await sender.send('order.big', order, {})).truncated, ['lines'])
    assert.deepEqual((await sender.sendWithRetry('order.big', order, {}, once))?.truncated, ['lines'])
  }
  const events = [
    { eventName: 'order.other', payload: order },
    { eventName: 'order.small', payload: { id: 'o' } },
    { eventName: 'order.own', payload: { truncated: ['mine'] } },
    { eventName: 'order.text', payload: JSON.stringify({ truncated: ['mine'] }) },
  ]
  assert.deepEqual(
    (await sendAll(sender, events, 1)).map(result => result.ok && result.truncated),
    [['lines'], undefined, undefined, undefined],
  )
  assert.deepEqual(
    noticesOf(lines, 'send_truncated').map(({ event_name, truncated }) => [event_name, truncated]),
    [
      ['order.big', ['lines']],
      ['order.other', ['lines']],
    ],
  )
})

test('IP-03 IP-06 what rejects, and how: one attempt each', async t => {
  const ways: [Script, typeof SendError | typeof LedgerUnavailable, string, number?][] = [
    [refusing(400), SendError, 'rejected', 400],
    [refusing(401), SendError, 'rejected', 401],
    [refusing(429), SendError, 'quota_exceeded', 429],
    [refusing(500), LedgerUnavailable, 'ledger_unavailable'],
    [() => ({ status: 202, body: 'no JSON' }), LedgerUnavailable, 'ledger_unavailable'],
    [() => 'cut', LedgerUnavailable, 'ledger_unavailable'],
    [() => 'never', SendError, 'timeout'],
  ]
  for (const [script, kind, code, status] of ways) {
    const ledger = await aLedger(t, script)
    const { sender } = aSender(t, ledger.url, 300)
    const error: unknown = await sendOne(sender, paid).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof kind, code)
    assert.equal(error.code, code)
    if (error instanceof SendError) assert.equal(error.ledgerStatus, status)
    assert.doesNotMatch(String(error), /iml_live/)
    assert.equal(ledger.calls.length, 1)
  }
})

test('IP-06 after a 429 nothing more is posted, and each sender is told the same', async t => {
  const ledger = await aLedger(t, refusing(429))
  const { sender } = aSender(t, ledger.url)
  for (const _ of [1, 2, 3]) await assert.rejects(sendOne(sender, paid), { code: 'quota_exceeded' })
  assert.equal(ledger.calls.length, 1)
})

test('IP-07 the last failure is one line of level ERROR, and undefined', async t => {
  const ledger = await aLedger(t, refusing(503))
  const { sender, lines } = aSender(t, ledger.url)
  const way = { maxRetries: 3, baseDelay: 0.001 }
  assert.equal(await sender.sendWithRetry('paid', { id: 'p1' }, {}, way), undefined)
  assert.equal(ledger.calls.length, 3)
  assert.equal(new Set(ledger.calls.map(({ body }) => body)).size, 1)
  const errors = lines.filter(({ level }) => level === 'ERROR')
  assert.deepEqual(
    errors.map(({ event_name }) => event_name),
    ['paid'],
  )
  assert.match(String(errors[0]?.message), /in 3 attempts: it answered 503/)
})

test('IP-06 IP-07 429 is undefined after one line of level WARNING that holds the answer', async t => {
  const ledger = await aLedger(t, refusing(429))
  const { sender, lines } = aSender(t, ledger.url)
  const again = (): Promise<unknown> =>
    sender.sendWithRetry('paid', {}, {}, { maxRetries: 3, baseDelay: 0.5 })
  assert.equal(await again(), undefined)
  const answer = { ok: false, reason: 'no', message: 'not this one' }
  assert.deepEqual(
    lines.map(line => [line.level, line.notice, line.answer]),
    [['WARNING', 'send_event', answer]],
  )
  for (const _ of [1, 2, 3]) assert.equal(await again(), undefined)
  assert.equal(ledger.calls.length, 1)
  assert.deepEqual(
    lines.slice(1).map(line => [line.level, line.notice, line.answer]),
    [['WARNING', 'send_paused', answer]],
  )
})

test('IP-07 the waits: chance, up to the base, and not below what the ledger wishes', async t => {
  t.mock.method(Math, 'random', () => 0.9)
  for (const [headers, wait] of [
    [{}, 9],
    [{ 'Retry-After': '1' }, 1_000],
  ] as [Record<string, string>, number][]) {
    const ledger = await aLedger(t, (call, nth, ledger) =>
      nth === 1 ? { status: 503, headers } : ledger.keep(call),
    )
    const { sender, lines } = aSender(t, ledger.url)
    const answer = await sender.sendWithRetry('paid', {}, {}, { maxRetries: 3, baseDelay: 0.01 })
    assert.equal(answer?.duplicate, false)
    assert.deepEqual(
      noticesOf(lines, 'send_retry').map(({ attempt, wait_ms }) => [attempt, wait_ms]),
      [[1, wait]],
    )
  }
})

test('IP-09 one result per event in their order, failures marked, never more posts at once than workers', async t => {
  const ledger = await aLedger(t, async (call, nth, ledger) => {
    if (nth <= 5) await until(() => ledger.calls.length >= 5)
    return call.body.includes('"bad.')
      ? { status: 400, body: { ok: false, reason: 'no' } }
      : ledger.keep(call)
  })
  const { sender, lines } = aSender(t, ledger.url)
  const events = Array.from({ length: 50 }, (_, n): OriginalEvent => {
    const payload = { n }
    return n % 10 === 3
      ? { event_name: `bad.${n}`, payload }
      : { eventName: `good.${n}`, payload, kind: 'success' }
  })
  const results = await sendAll(sender, events, 5)
  assert.deepEqual(
    results.map(({ event, ok }) => [event, ok]),
    events.map((_, n) => (n % 10 === 3 ? [`bad.${n}`, false] : [`good.${n}`, true])),
  )
  assert.ok(
    results.every(result => (result.ok ? result.txId === result.tx_id : result.error instanceof SendError)),
  )
  assert.equal(ledger.mostAtOnce, 5)
  assert.ok(ledger.calls.every(({ path }) => path === '/v1/events'))
  assert.equal(noticesOf(lines, 'batch_send').length, 1)
})

test('IP-09 what is no event is a marked failure, and the rest is sent', async t => {
  const ledger = await aLedger(t, keepAll)
  const { sender } = aSender(t, ledger.url)
  const events = [
    null,
    { event_name: 'a', payload: {}, kynd: 'info' },
    { payload: {} },
    { eventName: 'b', payload: { n: 1 } },
  ]
  const results = await sendAll(sender, events as OriginalEvent[], 5)
  assert.deepEqual(
    results.map(result => (result.ok ? 'sent' : result.error.code)),
    ['invalid_configuration', 'invalid_configuration', 'invalid_event', 'sent'],
  )
})

test('IP-15 sent within a request, the event bears its id, whichever instance watches it', async t => {
  const ledger = await aLedger(t, keepAll)
  const { sender } = aSender(t, ledger.url)
  const box = deedbox({ ledger: null, flushOnSignal: false, log: { sink: { write: () => undefined } } })
  t.after(() => box.close())
  await box.run({ name: 'nightly', requestId: 'job-7' }, () => sender.send('paid', {}, {}))
  assert.equal(ledger.calls[0]?.items[0]?.meta.request_id, 'job-7')
})

test('ruling 1 without a key events become log lines, and the answer says so', async t => {
  setVariables(t, {})
  const { sender, lines } = aSender(t, undefined)
  const answer = await sendOne(sender, paid)
  assert.deepEqual(
    [answer.ok, answer.tx_id, answer.status, answer.truncated],
    [true, null, 'logged', undefined],
  )
  assert.deepEqual(
    lines.map(({ notice, type }) => notice ?? type),
    ['no_ledger', 'audit'],
  )
})

test('IP-03 IP-07 IP-09 the functions, both forms, from the variables', async t => {
  const ledger = await aLedger(t, keepAll)
  setVariables(t, { IMTBL_API_KEY: 'iml_live_secret', IMTBL_URL: ledger.url, DEEDBOX_LOG_LEVEL: 'ERROR' })
  const one = await sendEvent('a', { n: 1 }, 'warning', 'own', 'staging')
  const two = await sendEvent({ event_name: 'b', payload: { n: 2 } })
  const three = await sendEventWithRetry('c', { n: 3 }, { kind: 'error', max_retries: 2, base_delay: 0 })
  const four = await sendEventsBatch([{ event_name: 'd', payload: {} }], { max_workers: 3 })
  const metas = ledger.calls.flatMap(({ items }) => items.map(({ meta }) => meta))
  assert.deepEqual(
    metas.map(({ type, event_name, service, env }) => [type, event_name, service, env]),
    [
      ['warning', 'a', 'own', 'staging'],
      ['info', 'b', 'node-service', 'production'],
      ['error', 'c', 'node-service', 'production'],
      ['info', 'd', 'node-service', 'production'],
    ],
  )
  const ids = ledger.calls.map(({ items }) => `tx-${items[0]?.key}`)
  assert.deepEqual([one.tx_id, two.tx_id, three?.tx_id, four[0]?.txId], ids)
  const nothing = undefined as never
  const wrong: [Promise<unknown>, string, string][] = [
    [sendEvent('', {}), 'code', 'invalid_event'],
    [sendEvent('a', {}, 'fatal' as never), 'code', 'invalid_event'],
    [sendEvent('a', nothing), 'code', 'invalid_event'],
    [sendEvent({ name: 'a', payload: {} } as never), 'setting', 'name'],
    [sendEventWithRetry('a', {}, { maxRetries: 0 }), 'setting', 'maxRetries'],
    [sendEventWithRetry('a', {}, { baseDelay: -1 }), 'setting', 'baseDelay'],
    [sendEventWithRetry('a', {}, { retries: 1 } as never), 'setting', 'retries'],
    [sendEventsBatch([], { maxWorkers: 1.5 }), 'setting', 'maxWorkers'],
    [sendEventsBatch(nothing), 'setting', 'sendEventsBatch()'],
  ]
  for (const [sent, member, value] of wrong) await assert.rejects(sent, { [member]: value })
  assert.equal(ledger.calls.length, 4)
})
