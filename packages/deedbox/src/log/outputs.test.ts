import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LineFilter, SinkSetup } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'

/** A sink that keeps what it gets, with the options that the log takes. */
function keeping(options: Omit<SinkSetup, 'to'> = {}): SinkSetup & { readonly texts: string[] } {
  const texts: string[] = []
  return { ...options, to: line => texts.push(line), texts }
}

function messages(texts: readonly string[]): unknown[] {
  return texts.map(text => (JSON.parse(text) as { message: unknown }).message)
}

test('FA-46 X-04 several sinks, each with its format, level and filter; a request line is in the form of each', async () => {
  const flat = keeping()
  const mozlog = keeping({ format: 'mozlog' })
  const severe = keeping({ level: 'error' })
  const own = keeping({
    format: ({ level, message, request_id }) => `${level} ${message} ${request_id}`,
    filter: ({ fields }) => fields?.kept === true,
  })
  const { box } = captureLog({ log: { sinks: [flat, mozlog, severe, own] } })
  box.log.info('first', { kept: true })
  box.log.error('second')
  await box.run({ name: 'night', requestId: 'r1' }, () => box.log.info('third', { kept: true }))
  await box.flush()
  const ours = flat.texts.filter(text => !text.includes('"notice"'))
  assert.deepEqual(messages(ours), ['first', 'second', 'third', 'job completed'])
  assert.deepEqual(messages(severe.texts), ['second'])
  assert.deepEqual(own.texts, ['INFO first undefined', 'INFO third r1'])
  const fields = mozlog.texts.map(text => (JSON.parse(text) as { Fields: Record<string, unknown> }).Fields)
  assert.deepEqual(fields.at(-2)?.rid, 'r1')
  assert.deepEqual(fields.at(-2)?.msg, 'third')
  await box.close()
})

test('FA-46 sinks are added and taken away while the service runs, one and all', async () => {
  const { box } = captureLog({ log: { sinks: [] } })
  box.log.info('nowhere')
  const late: string[] = []
  let isOpen = true
  const added = box.addSink({
    write: line => late.push(line),
    drain: async () => void late.push('drained'),
    close: () => {
      isOpen = false
    },
  })
  box.log.info('late')
  await added.remove()
  box.log.info('gone')
  assert.deepEqual(messages(late.slice(0, 1)), ['late'])
  assert.deepEqual([late.slice(1), isOpen], [['drained'], false])
  const others = [keeping(), keeping()]
  for (const { to } of others) box.addSink(to)
  await box.removeSinks()
  box.log.info('gone too')
  await box.flush()
  assert.deepEqual(
    others.map(({ texts }) => texts),
    [[], []],
  )
  {
    await using scoped = box.addSink(line => late.push(line))
    assert.ok(scoped)
    box.log.info('scoped')
  }
  box.log.info('out of scope')
  assert.deepEqual(messages(late.slice(2)), ['scoped'])
  assert.throws(() => box.addSink('stdout', { level: 'loud' }), /"loud" is no level/)
  await box.close()
})

test('FA-10 FA-46 a sink that fails, a filter that throws and a format that throws cost nothing but their own part', async t => {
  const notes: string[] = []
  const stderr = t.mock.method(process.stderr, 'write', (text: string) => notes.push(text) > 0)
  const fine = keeping()
  const badFilter = keeping({
    filter: () => {
      throw new Error('bad filter')
    },
  })
  const badFormat = keeping({
    format: () => {
      throw new Error('bad format')
    },
  })
  const noText = keeping({ format: (() => 7) as never })
  const refusing: SinkSetup = {
    to: () => {
      throw new Error('refused')
    },
  }
  const rejecting: SinkSetup = { to: async () => Promise.reject(new Error('rejected')) }
  const { box } = captureLog({ log: { sinks: [refusing, rejecting, badFilter, badFormat, noText, fine] } })
  box.log.info('written')
  await box.flush()
  stderr.mock.restore()
  for (const { texts } of [fine, badFilter, badFormat, noText]) assert.ok(messages(texts).includes('written'))
  assert.ok(messages(fine.texts).includes('A format of a log sink failed; its lines are flat'))
  assert.equal(notes.length, 1)
  assert.ok(box.stats().lines.lost >= 2)
  await box.close()
})

for (const [what, filter, wanted] of [
  ['a function', ({ number }) => number >= 30, ['b warn', 'a.b error']],
  ['a name', 'a', ['a info', 'a.b error', 'a.c trace']],
  ['levels by names', { a: 'ERROR', 'a.c': 'TRACE', '': 'WARNING' }, ['b warn', 'a.b error', 'a.c trace']],
  ['levels by names, all others too', { b: 'ERROR' }, ['a info', 'a.b error', 'a.c trace', 'plain']],
] as readonly [string, LineFilter, string[]][]) {
  test(`FA-50 a filter is ${what}`, async () => {
    const sink = keeping({ filter })
    const { box } = captureLog({ log: { level: 'TRACE', levels: { deedbox: 'CRITICAL' }, sinks: [sink] } })
    box.logger('a').info('a info')
    box.logger('b').warn('b warn')
    box.logger('a').named('b').error('a.b error')
    box.logger('a.c').trace('a.c trace')
    box.log.info('plain')
    await box.flush()
    assert.deepEqual(
      messages(sink.texts).filter(message => message !== 'plain' || wanted.includes('plain')),
      wanted,
    )
    await box.close()
  })
}

test('FA-30 FA-46 what cannot be a sink, a level, a format or a filter is an error when the instance is made', () => {
  for (const [log, setting] of [
    [{ sink: 'file' }, 'log.sink'],
    [{ sink: {} }, 'log.sink'],
    [{ sinks: [{ to: 'stdout', level: 'loud' }] }, 'log.sinks'],
    [{ sinks: [{ to: 'stdout', filter: { a: 'loud' } }] }, 'log.sinks'],
    [{ sinks: [{ to: 'stdout', filter: 7 }] }, 'log.sinks'],
    [{ sinks: ['stdout'], sink: 'stderr' }, 'log.sinks'],
    [{ sinks: [{ to: 'stdout', format: 'xml' }] }, 'log.format'],
    [{ format: 'xml' }, 'log.format'],
    [{ levels: { db: 'loud' } }, 'log.levels.db'],
  ] as const) {
    assert.throws(
      () => captureLog({ log: log as never }),
      (error: { code?: string; setting?: string }) => {
        assert.equal(error.code, 'invalid_configuration')
        assert.equal(error.setting, setting)
        return true
      },
    )
  }
})

test('FA-53 a sink that takes its time to drain does not keep the process alive', async () => {
  const program = fileURLToPath(new URL('../testing/restless-sink.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@deedbox/source', program], {
    env: { PATH: process.env.PATH },
    timeout: 20_000,
  })
  assert.equal(stdout, '1 drains\n')
})
