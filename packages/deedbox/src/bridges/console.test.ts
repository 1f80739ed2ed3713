import assert from 'node:assert/strict'
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions } from '../index.ts'
import { withinSink } from '../log/index.ts'
import { type CapturedLog, captureLog, type ParsedLine } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import { type CaptureConsoleOptions, captureConsole } from './console.ts'

function captured(
  t: TestContext,
  options?: CaptureConsoleOptions,
  settings?: DeedboxOptions,
): CapturedLog & { undo(): void; line(): Promise<ParsedLine> } {
  const log = captureLog(settings)
  const undo = captureConsole(log.box.log, options)
  t.after(undo)
  return { ...log, undo, line: async () => (await log.lines()).at(-1) ?? {} }
}

/** Takes the place of `console.log`, as somebody who wrapped it before us. */
function recordLog(t: TestContext): unknown[][] {
  const printed: unknown[][] = []
  const { log } = console
  console.log = (...values: unknown[]) => void printed.push(values)
  t.after(() => {
    console.log = log
  })
  return printed
}

test('FA-55 each method of the console becomes a line of its level', async t => {
  const { box, lines, line } = captured(t)
  box.log.level = 'DEBUG'
  const cases: [() => void, string, string][] = [
    [() => console.log('log'), 'INFO', 'log'],
    [() => console.info('info'), 'INFO', 'info'],
    [() => console.debug('debug'), 'DEBUG', 'debug'],
    [() => console.warn('warn'), 'WARNING', 'warn'],
    [() => console.error('error'), 'ERROR', 'error'],
    [() => console.trace('trace'), 'INFO', 'trace'],
    [() => console.dir({ a: 1 }, { depth: 0 }), 'INFO', 'console.dir'],
    [() => console.dirxml('x'), 'INFO', 'x'],
    [() => console.table([{ a: 1 }], ['a']), 'INFO', 'console.table'],
    [() => console.assert(false), 'WARNING', 'Assertion failed'],
    [() => console.assert(0, 'no %s', 'way'), 'WARNING', 'Assertion failed: no way'],
    [() => Reflect.apply(console.assert, console, [null, { a: 1 }]), 'WARNING', 'Assertion failed'],
    [() => console.count(), 'INFO', 'default: 1'],
    [() => console.count('default'), 'INFO', 'default: 2'],
    [() => console.group('outer'), 'INFO', 'outer'],
    [() => console.log(), 'INFO', 'console.log'],
  ]
  for (const [call, level, message] of cases) {
    const before = (await lines()).length
    call()
    const { level: foundLevel, message: found, logger, source } = await line()
    assert.deepEqual([foundLevel, found, logger], [level, message, 'console'], String(call))
    assert.match(String(source), /^console\.test\.ts:/)
    assert.equal((await lines()).length, before + 1)
  }
  const count = (await lines()).length
  console.assert(true, 'not said')
  console.groupEnd()
  console.group()
  console.countReset('default')
  console.time('t')
  assert.equal((await lines()).length, count)
  console.timeLog('t', 'so far', { a: 1 })
  assert.match(String((await line()).message), /^t: .*m?s so far$/)
  assert.equal((await line()).a, 1)
  console.timeEnd('t')
  assert.match(String((await line()).message), /^t: .*m?s$/)
})

test('FA-55 FA-07 texts are put together as Node does, and objects stay objects', async t => {
  const { line } = captured(t)
  const fieldsOf = async (): Promise<unknown[]> => {
    const { message, ...rest } = await line()
    const { timestamp, level, source, logger, ...fields } = rest
    return [message, fields]
  }
  const cases: [unknown[], string, ParsedLine][] = [
    [['a', 1, true, undefined, null, 2n], 'a 1 true undefined null 2n', {}],
    [['100%d sure', 5], '1005 sure', {}],
    [['100%d sure %s'], '100%d sure %s', {}],
    [['%i%% of %s', '42.5', 'all', 'more'], '42% of all more', {}],
    [['%cred', 'color: red'], 'red', {}],
    [[1, 2], '1 2', {}],
    [['user', { id: 7 }], 'user', { id: 7 }],
    [['user %j came', { id: 7 }], 'user {…} came', { id: 7 }],
    [['two', { a: 1 }, { b: 2 }], 'two', { values: [{ a: 1 }, { b: 2 }] }],
    [[['x'], new Map([['k', 1]])], 'console.log', { values: [['x'], { k: 1 }] }],
    [['\u001b[31mred\u001b[39m'], 'red', {}],
  ]
  for (const [values, message, fields] of cases) {
    console.log(...values)
    assert.deepEqual(await fieldsOf(), [message, fields], JSON.stringify(message))
  }
})

test('FA-55 the first error is the exception', async t => {
  const { line } = captured(t)
  console.error(new Error('alone', { cause: new Error('deeper') }))
  let { message, exception } = await line()
  assert.equal(message, 'alone')
  assert.match(String(exception), /^Error: alone\n[\s\S]*Caused by: Error: deeper/)
  console.error('it broke:', new TypeError('late'), { order: 7 })
  ;({ message, exception } = await line())
  assert.deepEqual([message, (await line()).order], ['it broke:', 7])
  assert.match(String(exception), /^TypeError: late/)
  console.error('it broke: %s', new TypeError('late'))
  assert.equal((await line()).message, 'it broke: late')
})

test('FA-55 console.trace tells which way the call came, without our own frames', async t => {
  const { line } = captured(t)
  const inner = (): void => console.trace('here', { order: 7 })
  inner()
  const { message, order, trace } = await line()
  assert.deepEqual([message, order], ['here', 7])
  const [first, second] = trace as string[]
  assert.match(String(first), /^at inner \(.*console\.test\.ts:/)
  assert.match(String(second), /console\.test\.ts:/)
})

test('FA-55 secrets are redacted in texts and by name', async t => {
  const { texts } = captured(t)
  const secret = 'hunter2-correct-horse'
  console.log('login', { password: secret })
  console.log({ a: { authorization: `Bearer ${secret}` } })
  console.log([{ password: secret }], { apiKey: secret })
  console.log('user %o', { password: secret })
  console.log(`password=${secret}`)
  console.table([{ password: secret }])
  assert.equal(texts.length, 6)
  assert.doesNotMatch(texts.join(''), /hunter2/)
})

test('FA-55 FA-14 console.log inside a request carries its id, 50 requests at once', async t => {
  const { box, lines, recorded } = captured(t)
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      for (let step = 0; step < 3; step++) {
        console.log('step', { step, of: request.url })
        await turn()
      }
      response.end()
    }),
  )
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      await (await fetch(`${url}/${i}`, { headers: { 'x-request-id': `id-${i}` } })).text()
    }),
  )
  await recorded(50)
  const steps = (await lines()).filter(line => line.message === 'step')
  assert.equal(steps.length, 150)
  for (const { request_id, of } of steps) assert.equal(request_id, `id-${String(of).slice(1)}`)
})

test('FA-55 a sink that prints by the console makes no loop', async t => {
  const printed: unknown[] = []
  const { error } = console
  console.error = (...texts: unknown[]) => void printed.push(texts.join(' '))
  t.after(() => {
    console.error = error
  })
  const bare = { write: (line: string) => console.error(line) }
  const marked = { write: (line: string) => withinSink(() => console.error('>', line)) }
  const late = { write: (line: string) => void setImmediate(() => console.error(line)) }
  for (const [sink, format] of [
    [bare, 'flat'],
    [marked, 'flat'],
    [late, 'flat'],
    [late, 'mozlog'],
  ] as const) {
    const { box, undo } = captured(t, {}, { log: { sink, format } })
    console.log('captured')
    box.log.info('direct')
    for (let turns = 0; turns < 10; turns++) await turn()
    undo()
    assert.equal(printed.length, 2)
    assert.match(String(printed[0]), /captured/)
    assert.match(String(printed[1]), /direct/)
    printed.length = 0
  }
})

test('FA-55 what a value prints while it is looked at, and one that cannot be looked at, go to Node', async t => {
  const printed = recordLog(t)
  const { lines } = captured(t)
  const chatty = {
    get member() {
      console.log('from a getter')
      return 1
    },
  }
  console.log('look', chatty)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  console.log('gone', proxy)
  assert.deepEqual(
    (await lines()).map(line => [line.message, line.member]),
    [['look', 1]],
  )
  assert.deepEqual(printed, [['from a getter'], ['gone', proxy]])
})

test('FA-55 undoing restores exactly what was there', async t => {
  const printed = recordLog(t)
  Object.defineProperty(console, 'log', { enumerable: false })
  const before = Object.entries(Object.getOwnPropertyDescriptors(console))
  const { texts, undo } = captured(t)
  const { log } = console
  log('bound')
  undo()
  const after = new Map(Object.entries(Object.getOwnPropertyDescriptors(console)))
  assert.equal(after.size, before.length)
  for (const [name, { value, ...flags }] of before) {
    const { value: now, ...flagsNow } = after.get(name) ?? {}
    assert(value === now, name)
    assert.deepEqual(flags, flagsNow, name)
  }
  Object.defineProperty(console, 'log', { enumerable: true })
  log('kept beyond the end')
  assert.deepEqual([texts.length, printed], [1, [['kept beyond the end']]])
})

test('FA-55 of two captures the later one counts, and either may end first', t => {
  const printed = recordLog(t)
  const first = captured(t)
  const second = captured(t, { print: true, methods: ['log'] })
  const counts = (): number[] => [first.texts.length, second.texts.length, printed.length]
  console.log('both')
  assert.deepEqual(counts(), [1, 1, 0])
  first.undo()
  console.log('second and, since it prints, the console')
  assert.deepEqual(counts(), [1, 2, 1])
  second.undo()
  console.log('the console')
  assert.deepEqual(counts(), [1, 2, 2])
})

test('FA-55 wrappers around ours outlive it, and other consoles stay as they are', async t => {
  const printed = recordLog(t)
  const { undo, lines } = captured(t)
  const ours = console.log
  console.log = (...values: unknown[]) => ours('wrapped', ...values)
  console.log('one')
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  new Console(stream).log('elsewhere')
  undo()
  console.log('two')
  assert.deepEqual([printed, text], [[['wrapped', 'two']], 'elsewhere\n'])
  assert.deepEqual(
    (await lines()).map(({ message }) => message),
    ['wrapped one'],
  )
})

test('FA-55 a sink that fails costs the caller nothing', t => {
  const { write } = process.stderr
  const complaints: unknown[] = []
  process.stderr.write = (text: unknown) => complaints.push(text) > 0
  t.after(() => {
    process.stderr.write = write
  })
  captured(t, {}, { log: { sink: { write: () => assert.fail('full') } } })
  console.log('lost')
  assert.match(String(complaints), /the log sink failed, 1 lines are lost/)
})
