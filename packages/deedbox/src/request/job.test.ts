import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'

test('ruling 5: a job has an id on its lines, values, one line at its end, and passes its result on', async () => {
  const { box, lines } = captureLog()
  const result = box.run({ name: 'sum', requestId: 'job-1' }, () => {
    box.set({ n: 1 })
    box.log.info('inside')
    return [box.requestId, box.get('n')]
  })
  assert.deepEqual(result, ['job-1', 1])
  assert.equal(box.requestId, undefined)
  const all = (await lines()).filter(line => line.request_id === 'job-1')
  assert.deepEqual(
    all.map(({ message, job, level }) => [message, job, level]),
    [
      ['inside', undefined, 'INFO'],
      ['job completed', 'sum', 'INFO'],
    ],
  )
})

test('ruling 5: an asynchronous job keeps its scope, and its error is told and passed on', async () => {
  const { box, lines } = captureLog()
  const failure = new Error('out of paper')
  const job = box.run({ name: 'print' }, async () => {
    await new Promise(setImmediate)
    box.log.info('printing')
    throw failure
  })
  await assert.rejects(job, error => error === failure)
  assert.throws(
    () =>
      box.run({ name: 'sync' }, () => {
        throw failure
      }),
    error => error === failure,
  )
  const all = await lines()
  const [printing, printed, sync] = all.filter(line => line.request_id !== undefined)
  assert.equal(printing?.request_id, printed?.request_id)
  for (const line of [printed, sync]) {
    assert.deepEqual([line?.level, line?.message], ['ERROR', 'Unhandled exception'])
    assert.match(String(line?.exception), /out of paper/)
  }
  assert.deepEqual([printed?.job, sync?.job], ['print', 'sync'])
})

test('ruling 5: a job sends an event only when it names one', async () => {
  const { box, lines } = captureLog()
  box.run({ name: 'quiet' }, () => undefined)
  box.run({ name: 'loud', requestId: 'loud-1' }, () => box.event('stock.counted'))
  const events = (await lines()).filter(line => line.type === 'audit')
  assert.deepEqual(
    events.map(({ event_name, request_id }) => [event_name, request_id]),
    [['stock.counted', 'loud-1']],
  )
  const payload = events[0]?.payload as { message: string; kind: string }
  assert.deepEqual([payload.message, payload.kind], ['loud executed', 'info'])
})

test('ruling 5: a request id that no header could hold is refused', () => {
  const { box } = captureLog()
  assert.throws(() => box.run({ name: 'x', requestId: 'a b' }, () => 1), RangeError)
})

test('FC-07 outside a request set() and event() do nothing and say so once', async () => {
  const { box, lines } = captureLog()
  for (let n = 0; n < 3; n++) box.set({ a: 1 })
  box.event('x')
  assert.equal(box.get('a'), undefined)
  const told = (await lines()).filter(line => line.notice === 'no_request')
  assert.equal(told.length, 1)
})
