import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'

test('IP-10 the options name the event, its kind and service', async () => {
  const { box, lines } = captureLog()
  const charge = box.audited((amount: number) => amount * 2, {
    eventName: 'card.charge',
    kind: 'success',
    service: 'pay',
    module: 'cards',
  })
  assert.equal(charge(21), 42)
  const [event] = (await lines()).filter(line => line.type === 'audit')
  const { type, event_name, service, env, request_id } = (event?.meta ?? {}) as Record<string, unknown>
  assert.deepEqual([type, event_name, service, env], ['success', 'card.charge', 'pay', box.env])
  assert.equal(typeof request_id, 'string')
})
