import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type AddedSink, captureConsole, fileSink, type SinkSetup } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'

test('FA-46 FA-53 a function that logs to its own log, at once or later, makes no endless loop', async t => {
  t.mock.method(process.stderr, 'write', () => true)
  const texts: string[] = []
  const sink: SinkSetup = {
    to: async line => {
      texts.push(line)
      box.log.info('at once')
      await null
      box.log.info('later')
    },
  }
  const { box } = captureLog({ log: { sinks: [sink] } })
  box.log.info('one')
  await box.flush()
  assert.equal(texts.length, 1)
  assert.equal(box.stats().lines.lost, 2)
  await box.close()
})

test('FA-14 FA-47 what a function sink starts is no request of its own, and in no context', async () => {
  const seen: unknown[] = []
  const { box } = captureLog({ log: { sinks: [{ to: () => void seen.push(box.requestId) }] } })
  await box.run({ name: 'night', requestId: 'r1' }, () => box.log.info('inside'))
  await box.flush()
  assert.deepEqual(seen, [undefined, undefined])
  await box.close()
})

test('FA-46 a sink that takes itself away while it is handed a line costs the others nothing', async () => {
  const first: string[] = []
  const second: string[] = []
  const { box } = captureLog({ log: { sinks: [] } })
  const added: AddedSink = box.addSink({
    write: line => {
      first.push(line)
      void added.remove()
    },
  })
  box.addSink(line => second.push(line))
  box.log.info('one')
  box.log.info('two')
  await box.flush()
  assert.deepEqual([first.length, second.length], [1, 2])
  await box.close()
})

test('FA-53 a sink that never ends is waited for as long as asked, and no longer', {
  timeout: 20_000,
}, async () => {
  const { box } = captureLog({ log: { sinks: [{ to: () => new Promise(() => undefined) }] } })
  box.log.info('one')
  assert.equal(await box.flush(30), true)
  assert.equal(await box.close(30), true)
})

test('FA-50 ruling 12: request lines may be more talkative than the rest', async () => {
  const { box, lines } = captureLog({ log: { level: 'ERROR', levels: { 'job.summary': 'INFO' } } })
  await box.run({ name: 'night' }, () => box.log.info('no'))
  assert.deepEqual(
    (await lines()).map(({ message }) => message),
    ['job completed'],
  )
  await box.close()
})

test('FA-07 ruling 12: formats and filters that are asynchronous by mistake end no process', async () => {
  const rejections: unknown[] = []
  const see = (reason: unknown): unknown => rejections.push(reason)
  process.on('unhandledRejection', see)
  const texts: string[] = []
  const later = async (): Promise<never> => Promise.reject(new Error('later'))
  const { box } = captureLog({
    log: { sinks: [{ to: line => texts.push(line), format: later as never, filter: later as never }] },
  })
  box.log.info('one')
  await box.flush()
  await new Promise(setImmediate)
  process.off('unhandledRejection', see)
  assert.deepEqual(rejections, [])
  assert.ok(texts.some(text => text.includes('"one"')))
  assert.doesNotThrow(() => box.log.log(Object.create(null) as string, 'no level'))
  assert.equal(box.log.isEnabled(Object.create(null) as string), false)
  await box.close()
})

test('FA-55 IF-25 a printed text that only looks like a line of the log is redacted like any other', async () => {
  const { box, lines } = captureLog()
  const undo = captureConsole(box.log)
  console.log(JSON.stringify({ timestamp: '2026-01-01', password: 'hunter2-correct-horse' }))
  undo()
  const [line] = (await lines()).filter(each => each.logger === 'console')
  assert.match(String(line?.message), /timestamp/)
  assert.doesNotMatch(JSON.stringify(line), /hunter2/)
  await box.close()
})

test('FA-51 FA-52 a lock that a process with our number has left, as in a container, does not stop rotation', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-lock-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'app.log')
  const longAgo = new Date(Date.now() - 3_600_000)
  for (const lock of [`${path}.lock`, `${path}.archive.lock`]) {
    writeFileSync(lock, `${process.pid}@${hostname()}`)
    utimesSync(lock, longAgo, longAgo)
  }
  const sink = fileSink({ path, rotate: { size: 100 }, compress: 'gzip' })
  for (let n = 0; n < 20; n++) {
    sink.write(`${JSON.stringify({ n, text: 'x'.repeat(40) })}\n`)
    sink.flush()
  }
  await sink.close()
  assert.ok(readFileSync(path).length <= 100)
})
