import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { serializer } from '../testing/fuzzed-lines.ts'
import { callHead } from '../testing/sample-heads.ts'
import type { LineHead } from './line.ts'
import { loguruLine } from './loguru.ts'

type Wrapped = { readonly text: string; readonly record: Readonly<Record<string, unknown>> }

const render = (head: LineHead, fields?: Record<string, unknown>, exception?: string): Wrapped =>
  JSON.parse(loguruLine(head, serializer, fields, exception, () => undefined))

/** The instant a span after the process started, in microseconds. */
const after = (microseconds: number): number => Math.round(performance.timeOrigin * 1000) + microseconds

test('FA-54 the envelope of Loguru, all of it', () => {
  const line = render(callHead, { amount: 5 })
  const { elapsed, ...record } = line.record
  assert.deepEqual(
    { ...line, record },
    {
      text: '2025-11-20 18:49:02.000 | WARNING  | pay:Till.charge:12 - charging\n',
      record: {
        exception: null,
        extra: { request_id: 'r-1', amount: 5 },
        file: { name: 'pay.ts', path: 'pay.ts' },
        function: 'Till.charge',
        level: { icon: '⚠️', name: 'WARNING', no: 30 },
        line: 12,
        message: 'charging',
        module: 'pay',
        name: 'pay',
        process: { id: process.pid, name: 'MainProcess' },
        thread: { id: 0, name: 'MainThread' },
        time: { repr: '2025-11-20 18:49:02.000123+00:00', timestamp: 1_763_664_542.000123 },
      },
    },
  )
  assert.deepEqual(Object.keys(line), ['text', 'record'])
  assert.deepEqual(
    Object.keys(line.record),
    'elapsed exception extra file function level line message module name process thread time'.split(' '),
  )
  // The head is from before this process.
  assert.deepEqual(elapsed, { repr: '0:00:00', seconds: 0 })
})

test('FA-54 an error stands as exception, and its text ends the text', () => {
  const failure = { thrown: new TypeError('no card') }
  const { text, record } = render({ ...callHead, failure }, {}, 'TypeError: no card\n    at x')
  assert.deepEqual(record.exception, { type: 'TypeError', value: 'no card', traceback: true })
  assert.match(text, / - charging\nTypeError: no card\n {4}at x\n$/)
  const own = render(callHead, {}, 'trace').record.exception
  assert.deepEqual(own, { type: null, value: null, traceback: true })
})

test('FA-54 elapsed is the time since the process started, as Python writes it', () => {
  const repr = (microseconds: number): unknown =>
    render({ ...callHead, instant: after(microseconds) }).record.elapsed
  assert.deepEqual(repr(4_474), { repr: '0:00:00.004474', seconds: 0.004474 })
  assert.deepEqual(repr(45_296_000_000), { repr: '12:34:56', seconds: 45_296 })
  assert.deepEqual(repr(86_400_000_000), { repr: '1 day, 0:00:00', seconds: 86_400 })
  assert.deepEqual(repr(200_000_000_001), { repr: '2 days, 7:33:20.000001', seconds: 200_000.000001 })
})

test('FA-54 without a source there is no place, and a level of the service’s own has a blank for a sign', () => {
  const { text, record } = render({ ...callHead, level: 'NOTICE', number: 27, source: undefined })
  const { file, function: functionName, line, name, level } = record
  assert.deepEqual([functionName, line, name], ['<unknown>', 0, null])
  assert.deepEqual(file, { name: '<unknown>', path: '<unknown>' })
  assert.deepEqual(level, { icon: ' ', name: 'NOTICE', no: 27 })
  assert.match(text, /\| NOTICE {3}\| None:<unknown>:0 - charging\n$/)
  assert.equal(render({ ...callHead, logger: 'shop.till' }).record.name, 'shop.till')
})

test('FA-54 a worker has its own thread', async () => {
  const program = `
    import { parentPort } from 'node:worker_threads'
    import { loguruLine } from ${JSON.stringify(new URL('loguru.ts', import.meta.url))}
    import { serializer } from ${JSON.stringify(new URL('../testing/fuzzed-lines.ts', import.meta.url))}
    parentPort.postMessage(loguruLine(${JSON.stringify(callHead)}, serializer, undefined, undefined, () => undefined))
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
  const line = await new Promise<string>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const { record } = JSON.parse(line) as Wrapped
  assert.deepEqual(record.thread, { id: worker.threadId, name: `Worker-${worker.threadId}` })
})
