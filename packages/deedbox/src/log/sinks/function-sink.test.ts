import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../../testing/captured-log.ts'
import { functionSink } from './function-sink.ts'

test('FA-46 a function gets each line in order, without its line break', async () => {
  const taken: string[] = []
  const { box } = captureLog({ log: { sink: functionSink(line => taken.push(line)) } })
  for (let i = 0; i < 3; i++) box.log.info('n', { i })
  await box.flush()
  assert.deepEqual(
    taken.map(line => JSON.parse(line).i),
    [0, 1, 2],
  )
  assert(taken.every(line => line.endsWith('}')))
  await box.close()
})

test('FA-53 FA-46 an asynchronous function is awaited, and what it rejects is a counted loss', async () => {
  const steps: (() => void)[] = []
  const taken: string[] = []
  const sink = functionSink(async line => {
    await new Promise<void>(resolve => steps.push(resolve))
    if (line.includes('bad')) throw new Error(`no place for ${line}`)
    taken.push(line)
  })
  const told: [number, string][] = []
  sink.onLoss?.((lines, problem) => told.push([lines, problem]))
  for (const line of ['one\n', 'bad\n', 'two\n']) sink.write(line)
  let isDrained = false
  const drained = sink.drain().then(() => {
    isDrained = true
  })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([steps.length, isDrained], [3, false])
  for (const step of steps) step()
  await drained
  assert.deepEqual(taken, ['one', 'two'])
  assert.deepEqual(told, [[1, 'no place for bad']])
})

test('FA-53 FA-10 what a slow function has not taken is bounded', async () => {
  const steps: (() => void)[] = []
  const sink = functionSink(() => new Promise<void>(resolve => steps.push(resolve)), { limit: 2 })
  sink.write('1\n')
  sink.write('2\n')
  assert.throws(() => sink.write('3\n'), /2 lines wait for it/)
  for (const step of steps) step()
  await sink.drain()
  sink.write('4\n')
  assert.equal(steps.length, 3)
  steps[2]?.()
  await sink.close?.()
})

test('FA-10 a function that throws, or logs to its own log, loses those lines only', async t => {
  t.mock.method(process.stderr, 'write', () => true)
  const taken: unknown[] = []
  const sink = functionSink(line => {
    const { message } = JSON.parse(line)
    if (message === 'throw') throw new Error('refused')
    if (message === 'log') box.log.info('inner')
    taken.push(message)
  })
  const { box } = captureLog({ log: { sink } })
  await box.flush()
  taken.length = 0
  const { lost } = box.stats().lines
  for (const message of ['a', 'throw', 'log', 'b']) box.log.info(message)
  await box.flush()
  assert.deepEqual(taken, ['a', 'log', 'b'])
  assert.equal(box.stats().lines.lost, lost + 2)
  await box.close()
})

test('FA-46 what is no function, and no limit, is refused at once', () => {
  assert.throws(() => functionSink('x' as never), { setting: 'functionSink' })
  assert.throws(() => functionSink(() => {}, { limit: 0 }), { setting: 'functionSink.limit' })
})
