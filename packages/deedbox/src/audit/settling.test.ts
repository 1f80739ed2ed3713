import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aLedger, someEvents, taken } from '../testing/ledger-events.ts'
import { keepAll, type Script } from '../testing/ledger-stand-in.ts'
import { aSpooledOutlet, spoolFolder } from '../testing/spooled-events.ts'
import { Delivery } from './delivery.ts'
import { EventQueue } from './event-queue.ts'
import { httpLedger } from './http-ledger.ts'
import type { LedgerClient, LedgerResult } from './ledger-client.ts'

const options = { linger: 0, backoff: { base: 1, cap: 2 } }

/** A delivery whose disk fails whenever something is to be noted: a mock, since a file system fails for no test on demand. */
async function onBadDisk(t: TestContext, script: Script) {
  const ledger = await aLedger(t, script)
  const warned: string[] = []
  const fail = (): never => {
    throw new Error('EIO')
  }
  const delivery = new Delivery(
    httpLedger({ url: ledger.url, apiKey: 'k' }),
    code => warned.push(code),
    options,
    {
      backlog: () => Object.assign(new EventQueue(100), { settle: fail }),
      refused: { add: fail },
    },
  )
  t.after(() => delivery.close())
  return { ledger, delivery, warned }
}

test('IF-34 what the ledger took is not sent again because our disk fails', async t => {
  const { ledger, delivery, warned } = await onBadDisk(t, keepAll)
  const events = someEvents(4)
  for (const event of events.slice(0, 3)) delivery.offer(event)
  assert.equal(await delivery.flush(10_000), true)
  assert.equal((await delivery.send(events[3]!, 10_000)).duplicate, false)
  assert.equal(ledger.calls.flatMap(({ items }) => items).length, 4)
  const { delivered, retried, queued } = delivery.stats()
  assert.deepEqual([delivered, retried, queued], [4, 0, 0])
  assert.deepEqual([...new Set(warned)], ['spool_failed'])
})

test('IF-34 what the ledger refused is not sent again because our disk fails', async t => {
  const { ledger, delivery, warned } = await onBadDisk(t, () => ({ status: 400 }))
  delivery.offer(someEvents(1)[0]!)
  assert.equal(await delivery.flush(10_000), true)
  assert.equal(ledger.calls.length, 1)
  const { rejected, deadLetters, retried } = delivery.stats()
  assert.deepEqual([rejected, deadLetters, retried], [1, 0, 0])
  assert.ok(warned.includes('audit_rejected'))
})

test('IF-34 IP-07 a key that is refused: the events are dead letters, and the line says how to send them', async t => {
  const ledger = await aLedger(t, () => ({
    status: 401,
    body: { reason: 'unauthorized', message: 'no such key' },
  }))
  const { outlet, notices } = aSpooledOutlet(t, ledger, spoolFolder(t))
  for (const event of someEvents(3)) outlet.offer(event)
  assert.equal(await outlet.flush(10_000), true)
  assert.equal(ledger.calls.length, 1)
  const said = notices.filter(({ notice }) => notice === 'audit_rejected')
  assert.deepEqual(
    said.map(({ message, status, rejected, dead_letters }) => [message, status, rejected, dead_letters]),
    [
      [
        'The ledger refused 3 audit events, the first with "unauthorized". It says: no such key — kept as dead letters: 3. ' +
          '"deedbox outbox list --dead" shows them, and "deedbox outbox replay" sends them again once the API key is mended',
        401,
        3,
        3,
      ],
    ],
  )
})

test('IF-34 a refused event that nothing keeps: the line says that it is gone, and nothing of a send', async t => {
  const ledger = await aLedger(t, () => ({ status: 400, body: { reason: 'bad', message: 'no' } }))
  const said: string[] = []
  const delivery = new Delivery(
    httpLedger({ url: ledger.url, apiKey: 'k' }),
    (_code, text) => said.push(text),
    options,
  )
  t.after(() => delivery.close())
  delivery.offer(someEvents(1)[0]!)
  assert.equal(await delivery.flush(10_000), true)
  await assert.rejects(delivery.send(someEvents(1)[0]!, 10_000), /bad/)
  assert.deepEqual(said, [
    'The ledger refused an audit event (bad). It says: no — dropped for good: 1',
    'The ledger refused an audit event (bad). It says: no',
  ])
})

test('IF-34 a refused event with a meta of null is refused once, and its company is not sent again', async t => {
  const ledger = await aLedger(t, call =>
    call.items.length > 1 ? { status: 413 } : { status: 400, body: { reason: 'invalid_meta' } },
  )
  const { outlet, notices } = aSpooledOutlet(t, ledger, spoolFolder(t))
  const [first, second] = someEvents(2)
  outlet.offer({ ...first!, meta: null as never })
  outlet.offer(second!)
  assert.equal(await outlet.flush(10_000), true)
  const { rejected, deadLetters, retried } = outlet.stats()
  assert.deepEqual([rejected, deadLetters, retried], [2, 2, 0])
  assert.equal(notices.filter(({ notice }) => notice === 'audit_delayed').length, 0)
})

test('IF-35 a ledger in this process whose answers are broken costs nobody an event', async () => {
  const answers: ((i: number) => LedgerResult)[] = [
    () => undefined as never,
    () => null as never,
    () => 'taken' as never,
  ]
  for (const answer of answers) {
    let calls = 0
    const client: LedgerClient = {
      appendBatch: async items => items.map((item, i) => (calls++ === 0 ? answer(i) : taken(item))),
    }
    const delivery = new Delivery(client, () => {}, options)
    assert.equal((await delivery.send(someEvents(1)[0]!, 10_000)).status, 'accepted')
    assert.deepEqual([delivery.stats().delivered, delivery.stats().retried], [1, 1])
    delivery.close()
  }
})

test('IF-35 an answer that throws when it is read rejects its send, and the event counts as delivered', async t => {
  let calls = 0
  const client: LedgerClient = {
    appendBatch: async items => {
      calls++
      return items.map(item => Object.defineProperty(taken(item), 'txId', { get: thrown }))
    },
  }
  const delivery = new Delivery(client, () => {}, options)
  t.after(() => delivery.close())
  await assert.rejects(delivery.send(someEvents(1)[0]!, 10_000), /no id here/)
  assert.equal(await delivery.flush(10_000), true)
  assert.deepEqual([calls, delivery.stats().delivered], [1, 1])
})

function thrown(): never {
  throw new Error('no id here')
}
