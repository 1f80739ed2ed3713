import assert from 'node:assert/strict'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import { captureChannel } from './channel.ts'

test('FA-55 a message on a channel is a line with its plain fields', async t => {
  const { box, lines } = captureLog()
  const orders = channel('shop.orders')
  const undo = captureChannel(box.log, 'shop.orders', { level: 'warning', message: 'order' })
  t.after(undo)
  class Living {
    secret = 'large'
  }
  orders.publish({
    id: 7,
    password: 'hunter2-correct-horse',
    items: ['a', { b: 1 }],
    at: new Date(0),
    living: new Living(),
    call: () => 1,
    error: new Error('sold out'),
  })
  orders.publish('text')
  orders.publish(undefined)
  undo()
  orders.publish('not any more')
  const [order, text, nothing, ...more] = await lines()
  assert.equal(more.length, 0)
  const { timestamp, source, exception, ...rest } = order ?? {}
  assert.match(String(source), /^channel\.test\.ts:/)
  assert.match(String(exception), /^Error: sold out/)
  assert.deepEqual(rest, {
    level: 'WARNING',
    message: 'order',
    channel: 'shop.orders',
    id: 7,
    password: '[redacted]',
    items: ['a', { b: 1 }],
    at: '1970-01-01T00:00:00.000Z',
  })
  assert.deepEqual([text?.value, nothing?.value], ['text', undefined])
})

test('FA-55 fields chooses, leaves out, and may fail', async t => {
  const { box, lines } = captureLog()
  t.after(
    captureChannel(box.log, 'tracing:shop.pay:start', {
      fields: message => {
        const { amount } = message as { amount: number }
        if (amount < 0) throw new Error('negative')
        return amount === 0 ? undefined : { amount }
      },
    }),
  )
  const pay = tracingChannel<object>('shop.pay')
  for (const amount of [0, 3, -1])
    assert.equal(
      pay.traceSync(() => amount, { amount }),
      amount,
    )
  const [line, failed] = await lines()
  assert.deepEqual([line?.message, line?.amount], ['tracing:shop.pay:start', 3])
  assert.deepEqual(
    [failed?.level, failed?.message],
    ['WARNING', 'A message on tracing:shop.pay:start could not be read'],
  )
})

test('FA-55 FA-14 messages carry the id of the request that they were published in, 50 at once', async t => {
  const { box, lines, recorded } = captureLog()
  const steps = channel('shop.steps')
  t.after(captureChannel(box.log, 'shop.steps'))
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      await turn()
      steps.publish({ of: request.url, request })
      response.end()
    }),
  )
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await (await fetch(`${url}/${i}`, { headers: { 'x-request-id': `id-${i}` } })).text()
    }),
  )
  await recorded(50)
  const found = (await lines()).filter(line => line.channel === 'shop.steps')
  assert.equal(found.length, 50)
  for (const { request_id, of, request } of found) {
    assert.deepEqual([request_id, request], [`id-${String(of).slice(1)}`, undefined])
  }
})

test('FA-55 a sink that publishes on the channel makes no loop', async t => {
  const texts: string[] = []
  const chatter = channel('shop.chatter')
  const sink = {
    write: (line: string) => {
      texts.push(line)
      chatter.publish({ line })
    },
  }
  const { box } = captureLog({ log: { sink } })
  t.after(captureChannel(box.log, 'shop.chatter'))
  chatter.publish('once')
  assert.equal(texts.length, 1)
})
