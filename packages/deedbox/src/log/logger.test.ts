import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { captureLog, type ParsedLine } from '../testing/captured-log.ts'
import { hostileValues } from '../testing/hostile-values.ts'
import { harmlessTexts, writtenSecrets } from '../testing/secrets.ts'

/** The lines that log calls wrote, without our own notices. */
function calls(lines: readonly ParsedLine[]): readonly ParsedLine[] {
  return lines.filter(line => !('notice' in line))
}

test('FA-02 a line has timestamp, level, message, source, then the fields, then exception, and nothing else', async () => {
  const { box, lines } = captureLog()
  box.log.info('charging', { attempt: 1, user: { id: 'u' } })
  box.log.error('failed', new Error('declined'), { attempt: 2 })
  box.log.info('alone')
  const [first, second, third] = calls(await lines())
  assert.deepEqual(Object.keys(first ?? {}), ['timestamp', 'level', 'message', 'source', 'attempt', 'user'])
  assert.deepEqual(Object.keys(second ?? {}), [
    'timestamp',
    'level',
    'message',
    'source',
    'attempt',
    'exception',
  ])
  assert.deepEqual(Object.keys(third ?? {}), ['timestamp', 'level', 'message', 'source'])
  assert.match(String(second?.exception), /^Error: declined\n {4}at /)
  await box.close()
})

test('FA-02 FA-14 inside a job the id stands before the fields', async () => {
  const { box, lines } = captureLog()
  await box.run({ name: 'night', requestId: 'job-1' }, async () => {
    await null
    box.log.info('working', { step: 1 })
  })
  const [line] = calls(await lines())
  assert.deepEqual(Object.keys(line ?? {}), ['timestamp', 'level', 'message', 'source', 'request_id', 'step'])
  assert.equal(line?.request_id, 'job-1')
  await box.close()
})

test('FA-07 FA-08 a log call on a used-up stack does not throw, nor does with() of what cannot be read', async () => {
  const { box, lines } = captureLog()
  const thrown: unknown[] = []
  /** Whether a few small calls still fit; where none do, nobody can call anything. */
  const hasRoom = (calls: number): boolean => calls === 0 || hasRoom(calls - 1)
  const dive = (): void => {
    try {
      dive()
    } catch {
      if (!hasRoom(30)) return
      try {
        box.log.error('deep', { a: { b: [1, 2, 3] } })
      } catch (error) {
        thrown.push(error)
      }
    }
  }
  dive()
  const hostile = Object.defineProperty({ b: 2 }, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('password=Tr0ub4dor')
    },
  })
  box.log.with({ a: 1 }).with(hostile).info('bound')
  const last = calls(await lines()).at(-1)
  assert.deepEqual([last?.message, last?.a], ['bound', 1])
  assert.match(String(last?.fields_unreadable), /password=\[redacted\]/)
  await box.close()
  assert.deepEqual(thrown, [])
})

test('FA-03 the timestamp is ISO 8601 in UTC with microseconds, whatever the local zone', async () => {
  const { box, lines } = captureLog()
  const before = Date.now()
  for (let i = 0; i < 50; i++) box.log.info('tick')
  const after = Date.now()
  for (const { timestamp } of calls(await lines())) {
    assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
    const instant = Date.parse(String(timestamp))
    assert.ok(instant >= before && instant <= after, String(timestamp))
  }
  await box.close()
})

test('FA-05 the source names file, function and line of the call', async () => {
  const { box, lines } = captureLog()
  function inFunction(): void {
    box.log.info('here')
  }
  const inAsync = async (): Promise<void> => {
    await null
    box.log.with({ a: 1 }).warn('here')
  }
  class Till {
    charge(): void {
      const { error } = box.log
      error('here')
    }
  }
  const here = new Error('here').stack?.match(/logger\.test\.ts:(\d+)/)?.[1]
  inFunction()
  await inAsync()
  new Till().charge()
  ;(() => box.log.info('here'))()
  const sources = calls(await lines()).map(({ source }) => String(source))
  const line = Number(here)
  assert.deepEqual(sources, [
    `logger.test.ts:inFunction:${line - 12}`,
    `logger.test.ts:inAsync:${line - 8}`,
    `logger.test.ts:charge:${line - 3}`,
    `logger.test.ts:<anonymous>:${line + 4}`,
  ])
  await box.close()
})

test('FA-05 the source can be limited to warnings, or switched off', async () => {
  for (const [source, expected] of [
    ['always', [true, true]],
    ['warn', [false, true]],
    ['never', [false, false]],
  ] as const) {
    const texts: string[] = []
    const { box } = captureLog({ log: { source, sink: { write: line => texts.push(line) } } })
    await box.flush()
    texts.length = 0
    box.log.info('a')
    box.log.warning('b')
    await box.flush()
    assert.deepEqual(
      texts.map(text => 'source' in JSON.parse(text)),
      expected,
    )
    await box.close()
  }
})

test('FA-06 fields that would overwrite a key of the line go under fields, and that is told once', async () => {
  const { box, lines } = captureLog()
  const spoof = {
    timestamp: 't',
    level: 'FAKE',
    message: 'm',
    source: 's',
    exception: 'e',
    fields: 'f',
    own: 1,
  }
  box.run({ name: 'job', requestId: 'real' }, () => {
    box.log.info('real', { ...spoof, request_id: 'spoof' })
    box.log.info('real', { level: 'FAKE', request_id: 'spoof' })
  })
  const all = await lines()
  const [first, second] = calls(all)
  assert.equal(first?.level, 'INFO')
  assert.equal(first?.message, 'real')
  assert.equal(first?.request_id, 'real')
  assert.equal(first?.own, 1)
  assert.match(String(first?.source), /^logger\.test\.ts:/)
  const { own, ...moved } = spoof
  assert.deepEqual(first?.fields, { ...moved, request_id: 'spoof' })
  assert.deepEqual(second?.fields, { level: 'FAKE', request_id: 'spoof' })
  const told = all.filter(line => line.notice === 'reserved_key')
  assert.equal(told.length, 1, 'the notice itself is limited to one a minute')
  assert.equal(told[0]?.level, 'WARNING')
  await box.close()
})

test('FA-06 ruling 10: outside a request an id of the caller stands at top level', async () => {
  const { box, lines } = captureLog()
  box.log.info('m', { request_id: 'mine' })
  const [line] = calls(await lines())
  assert.equal(line?.request_id, 'mine')
  assert.equal(line?.fields, undefined)
  await box.close()
})

test('FA-06 bound fields stand on every line, and those of the call win', async () => {
  const { box, lines } = captureLog()
  const bound = box.log.with({ a: 1, b: 1 })
  bound.with({ c: 1 }).info('m', { b: 2 })
  bound.info('m')
  box.log.info('m')
  const fields = calls(await lines()).map(({ timestamp, level, message, source, ...rest }) => rest)
  assert.deepEqual(fields, [{ a: 1, b: 2, c: 1 }, { a: 1, b: 1 }, {}])
  await box.close()
})

test('FA-07 a message is never interpolated', async () => {
  const { box, lines } = captureLog()
  for (const text of harmlessTexts) box.log.info(text, { a: 1, x: 2, 0: 'zero' })
  const messages = calls(await lines()).map(({ message }) => message)
  assert.deepEqual(messages, harmlessTexts)
  await box.close()
})

test('FA-07 FA-08 no call throws, and each leaves one line that keeps its message', async () => {
  const { box, lines } = captureLog()
  const hostile = Object.values(hostileValues)
  const plain = fc.dictionary(fc.string({ unit: 'binary' }), fc.anything())
  let calledTimes = 0
  fc.assert(
    fc.property(plain, fc.constantFrom(...hostile), (fields, make) => {
      const bad = make() as Record<string, unknown>
      box.log.info('kept', fields)
      box.log.info('kept', bad)
      box.log.with(fields).info('kept', bad)
      box.log.with({ bad }).info('kept', fields)
      box.log.info('kept', null as never)
      calledTimes += 5
    }),
    { numRuns: 200 },
  )
  const written = calls(await lines())
  assert.equal(written.length, calledTimes)
  for (const { message } of written) assert.equal(message, 'kept')
  await box.close()
})

test('FA-07 a message that is no text is written as something', async () => {
  const { box, lines } = captureLog()
  const messages = [
    undefined,
    null,
    5,
    Symbol('s'),
    Object.create(null),
    ...Object.values(hostileValues).map(make => make()),
  ]
  for (const message of messages) box.log.info(message as string)
  assert.equal(calls(await lines()).length, messages.length)
  await box.close()
})

test('FA-27 an Error in place of the message is message and exception', async () => {
  const { box, lines } = captureLog()
  box.log.error(new TypeError('no till', { cause: new Error('unplugged') }), { till: 3 })
  const [line] = calls(await lines())
  assert.equal(line?.message, 'no till')
  assert.equal(line?.till, 3)
  assert.match(String(line?.exception), /^TypeError: no till\n[\s\S]*\nCaused by: Error: unplugged\n/)
  await box.close()
})

test('IF-25 no secret of the corpus reaches a line, as message, field, key or exception', async () => {
  const { box, lines, texts } = captureLog()
  for (const { text, secret } of writtenSecrets) {
    texts.length = 0
    box.log.info(text, { text, [text]: text })
    box.log.error(new Error(text, { cause: text }))
    box.log.with({ text: [text] }).error('m', new AggregateError([new Error(text)], text))
    assert.equal(calls(await lines()).length, 3)
    for (const line of texts) assert.ok(!line.includes(secret.replaceAll('\n', '\\n')), line)
  }
  await box.close()
})

test('FA-02 a line of many large fields is cut and still one line', async () => {
  const { box, lines, texts } = captureLog()
  box.log.info(
    'big',
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, 'x'.repeat(10_000)])),
  )
  const [line] = calls(await lines())
  assert.equal(line?.fields_cut, true)
  assert.ok((texts.at(-1)?.length ?? 0) < 400_000)
  await box.close()
})
