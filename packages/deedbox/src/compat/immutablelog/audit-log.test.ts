import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox } from '../../index.ts'
import { aLedger } from '../../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, until } from '../../testing/ledger-stand-in.ts'
import { anAudit, setVariables } from '../../testing/originals.ts'
import { auditLog, auditLogAsync } from './index.ts'

interface Told {
  readonly meta: Record<string, unknown>
  readonly payload: Record<string, unknown>
}

/** The events of a ledger, once there are so many. */
async function events(ledger: LedgerStandIn, count: number): Promise<Told[]> {
  await until(() => ledger.stored.size >= count)
  return [...ledger.stored.values()].map(({ meta, payload }) => ({ meta, payload: JSON.parse(payload) }))
}

class Declined extends Error {
  override readonly name = 'Declined'
}

test('IP-11 IP-12 IP-13 sync and async functions through one instance: results, errors, payloads', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit } = anAudit(t, ledger.url)
  function processPayment(
    this: unknown,
    id: string,
    amount: number,
  ): { id: string; amount: number; self: unknown } {
    return { id, amount, self: this }
  }
  const pay = audit.log('payment.process', 'success')(processPayment)
  const invoice = audit.log({ event_name: 'invoice.generate' })(async (order: string) => ({ order }))
  const declined = new Declined('no funds')
  const refuse = audit.log('')(async function refuse(): Promise<void> {
    throw declined
  })
  assert.deepEqual([pay.name, pay.length], ['processPayment', 2])
  const self = {}
  assert.deepEqual(pay.call(self, 'p1', 5), { id: 'p1', amount: 5, self })
  assert.deepEqual(await invoice('o1'), { order: 'o1' })
  assert.equal(await refuse().catch((error: unknown) => error), declined)
  const [first, second, third] = await events(ledger, 3)
  assert.deepEqual(
    [first, second, third].map(told => [told?.meta.event_name, told?.meta.type, told?.payload.message]),
    [
      ['payment.process', 'success', 'payment.process executed'],
      ['invoice.generate', 'info', 'invoice.generate executed'],
      ['fn.audit-log.test.refuse', 'error', 'fn.audit-log.test.refuse failed: Declined'],
    ],
  )
  assert.deepEqual(third?.payload.error, {
    exception: 'Declined',
    exception_message: 'no funds',
    retryable: false,
  })
  assert.deepEqual(third?.payload.function, { module: 'audit-log.test', name: 'refuse' })
  for (const { meta, payload } of [first, second, third] as Told[]) {
    assert.equal(typeof meta.request_id, 'string')
    assert.notEqual(payload.id, meta.request_id)
  }
})

test('IP-10 IP-12 auditLog and auditLogAsync, with options first and last, from the variables', async t => {
  const ledger = await aLedger(t, keepAll)
  setVariables(t, { IMTBL_API_KEY: 'iml_live_secret', IMTBL_URL: ledger.url, IMTBL_SERVICE_NAME: 'shop' })
  const pay = auditLog({ event_name: 'payment.process', kind: 'success', service: 'payments' })(
    (n: number) => n,
  )
  const invoice = auditLogAsync(async () => 'i1', { eventName: 'invoice.generate' })
  const remove = auditLog({ service: 'users' })(function deleteUser() {})
  assert.deepEqual([pay(5), await invoice()], [5, 'i1'])
  remove()
  const told = await events(ledger, 3)
  assert.deepEqual(
    told.map(({ meta }) => [meta.event_name, meta.type, meta.service]),
    [
      ['payment.process', 'success', 'payments'],
      ['invoice.generate', 'info', 'shop'],
      ['fn.audit-log.test.deleteUser', 'info', 'users'],
    ],
  )
  assert.ok(told.every(({ payload }) => 'function' in payload))
  assert.throws(() => auditLog({ name: 'x' } as never), { setting: 'name' })
  assert.throws(() => auditLog({ kind: 'fatal' } as never), { setting: 'kind' })
})

test('IP-10 IP-13 above methods, as standard decorators call it and as the older ones do', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit } = anAudit(t, ledger.url)
  class Orders {
    readonly prefix = 'o'
    place(n: number): string {
      return this.prefix + n
    }
    cancel(n: number): string {
      return this.prefix + n
    }
  }
  const context = {
    kind: 'method',
    name: 'place',
    static: false,
    private: false,
    addInitializer: () => {},
  } as const
  Orders.prototype.place = audit.log('order.place', 'success')(Orders.prototype.place, context)
  const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'cancel') as PropertyDescriptor
  Object.defineProperty(Orders.prototype, 'cancel', audit.log()(Orders.prototype, 'cancel', descriptor))
  const orders = new Orders()
  assert.deepEqual([orders.place(7), orders.cancel(8)], ['o7', 'o8'])
  const told = await events(ledger, 2)
  assert.deepEqual(
    told.map(({ meta, payload }) => [meta.event_name, payload.function]),
    [
      ['order.place', { module: 'Orders', name: 'place' }],
      ['fn.Orders.cancel', { module: 'Orders', name: 'cancel' }],
    ],
  )
})

test('IP-15 a function called in a request of another instance shares its id', async t => {
  const ledger = await aLedger(t, keepAll)
  const { audit } = anAudit(t, ledger.url)
  const box = deedbox({ ledger: null, flushOnSignal: false, log: { sink: { write: () => undefined } } })
  t.after(() => box.close())
  const pay = audit.log('payment.process')(() => 'paid')
  assert.equal(
    box.run({ name: 'nightly', requestId: 'job-8' }, () => pay()),
    'paid',
  )
  assert.equal((await events(ledger, 1))[0]?.meta.request_id, 'job-8')
})

test('IP-14 the ledger down: a function returns and throws as ever', async t => {
  const ledger = await aLedger(t, () => 'cut')
  const { audit, lines, box } = anAudit(t, ledger.url, { audit: { backoff: { base: 1, cap: 1 } } })
  const pay = audit.log('payment.process')((n: number) => {
    if (n < 0) throw new Declined('negative')
    return n
  })
  for (let n = 0; n < 50; n++) assert.equal(pay(n), n)
  assert.throws(() => pay(-1), Declined)
  await until(() => box.stats().audit.retried > 0)
  assert.equal(lines.length, 1)
})
