import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fastify } from 'fastify'
import { pino } from 'pino'
import { observe as observeFastify } from '../frameworks/fastify.ts'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions } from '../index.ts'
import { captureLog, type ParsedLine } from '../testing/captured-log.ts'
import { fiftyRequests, staysApart } from '../testing/fifty-requests.ts'
import { serve } from '../testing/served.ts'
import { type PinoDestinationOptions, pinoDestination, pinoSink } from './pino.ts'

const secret = 'hunter2-correct-horse'

function fromPino<Levels extends string = never>(
  settings: pino.LoggerOptions<Levels> = {},
  options?: PinoDestinationOptions,
) {
  const log = captureLog()
  log.box.log.level = 'TRACE'
  return {
    ...log,
    logger: pino<Levels>({ level: 'trace', ...settings }, pinoDestination(log.box.log, options)),
  }
}

/** A pino logger that keeps its lines, as the sink of an instance. */
function toPino(settings: DeedboxOptions = {}) {
  const written: ParsedLine[] = []
  const write = (line: string): void => void written.push(JSON.parse(line))
  const logger = pino({ level: 'trace' }, { write })
  const { box } = captureLog({
    ...settings,
    log: { level: 'TRACE', ...settings.log, sink: pinoSink(logger) },
  })
  return { box, written }
}

test('FA-55 pino: every level, message and field of pino is ours', async () => {
  const { logger, lines, texts } = fromPino({ customLevels: { notice: 35 } })
  logger.trace('t')
  logger.debug('d')
  logger.info({ order: 7, timestamp: 1, list: [1] }, 'i %s', 'formatted')
  logger.warn({ password: secret }, `token=${secret}`)
  logger.error('e')
  logger.fatal('f')
  logger.notice('n')
  logger.child({ module: 'cart' }).info({ only: true })
  const found = await lines()
  assert.deepEqual(
    found.filter(line => line.notice === undefined).map(({ level, message }) => `${level} ${message}`),
    [
      'TRACE t',
      'DEBUG d',
      'INFO i formatted',
      'WARNING token=[redacted]',
      'ERROR e',
      'CRITICAL f',
      'INFO n',
      'INFO ',
    ],
  )
  const line = found.find(({ order }) => order === 7) ?? {}
  const { timestamp, source, ...rest } = line
  assert.match(String(timestamp), /^\d{4}-/)
  assert.match(String(source), /^pino\.test\.ts:/)
  assert.deepEqual(rest, {
    level: 'INFO',
    message: 'i formatted',
    order: 7,
    list: [1],
    fields: { timestamp: 1 },
  })
  assert.deepEqual([found.at(-1)?.module, found.at(-1)?.only], ['cart', true])
  assert.doesNotMatch(texts.join(''), /hunter2/)
})

test('FA-55 pino: its errors become exceptions', async () => {
  const { logger, lines } = fromPino()
  logger.error(new TypeError('no function'))
  logger.error(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 'not reached')
  logger.error({ err: 'a text' }, 'no error')
  const [first, second, third] = await lines()
  assert.equal(first?.message, 'no function')
  assert.match(String(first?.exception), /^TypeError: no function\n +at /)
  assert.equal(first?.err, undefined)
  assert.deepEqual([second?.message, second?.err], ['not reached', { code: 'ECONNREFUSED' }])
  assert.match(String(second?.exception), /^Error: refused/)
  assert.deepEqual([third?.err, third?.exception], ['a text', undefined])
})

test('FA-55 pino: names of its own, levels as words, lines that are no JSON', async () => {
  const { logger, lines, box } = fromPino(
    { messageKey: 'text', errorKey: 'failure', formatters: { level: label => ({ level: label }) } },
    { messageKey: 'text', errorKey: 'failure' },
  )
  logger.warn({ failure: new Error('late') }, 'words')
  const destination = pinoDestination(box.log)
  destination.write('not JSON, 100%d\n')
  destination.write('{"level":50,"msg":"two"}\n\n[1]\n')
  destination.write('{"msg":{"a":1},"pid":1,"hostname":"elsewhere","__proto__":{"x":1}}\n')
  const found = await lines()
  assert.deepEqual(
    found.map(({ level, message }) => [level, message]),
    [
      ['WARNING', 'words'],
      ['INFO', 'not JSON, 100%d'],
      ['ERROR', 'two'],
      ['INFO', '[1]'],
      ['INFO', '{"a":1}'],
    ],
  )
  assert.match(String(found[0]?.exception), /^Error: late/)
  assert.deepEqual([found[4]?.pid, found[4]?.hostname], [1, 'elsewhere'])
})

test('FA-55 FA-14 pino: its lines carry the id of their request, 50 at once', async t => {
  const { box, logger, lines, recorded } = fromPino()
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      const child = logger.child({ of: request.url })
      for (let step = 0; step < 3; step++) {
        child.info('step')
        await turn()
      }
      response.end()
    }),
  )
  await fiftyRequests(url)
  await recorded(50)
  staysApart(await lines(), 150)
})

async function listening(t: TestContext, app: ReturnType<typeof fastify>): Promise<string> {
  t.after(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

test('FA-55 FA-14 Fastify: what it logs itself, and request.log, are lines of the request', async t => {
  const { box, lines, recorded } = captureLog()
  const app = fastify({ logger: { stream: pinoDestination(box.log) } })
  await app.register(observeFastify(box))
  app.get('/:name', async request => {
    await turn()
    request.log.info({ of: request.url, password: secret }, 'step')
    return {}
  })
  app.get('/broken', async () => {
    throw new Error('the shop is closed')
  })
  const url = await listening(t, app)
  await fiftyRequests(url)
  await (await fetch(`${url}/broken`, { headers: { 'x-request-id': 'broken' } })).text()
  await recorded(51)
  const found = await lines()
  staysApart(found, 50)
  const broken = found.filter(line => line.request_id === 'broken')
  assert.deepEqual(broken.map(({ level, message }) => `${level} ${message}`).toSorted(), [
    'ERROR Unhandled exception',
    'ERROR the shop is closed',
    'INFO incoming request',
    'INFO request completed',
  ])
  for (const { message, exception, reqId } of broken) {
    if (message === 'the shop is closed') assert.match(String(exception), /^Error: the shop is closed/)
    if (message !== 'Unhandled exception') assert.match(String(reqId), /./)
  }
  assert.doesNotMatch(JSON.stringify(found), /hunter2/)
})

test('FA-55 a pino logger as the sink gets level, message, fields and exception', async () => {
  const { box, written } = toPino()
  for (const level of ['trace', 'debug', 'info', 'success', 'warning', 'error', 'critical'] as const)
    box.log[level](`${level} 100%d %s %%`)
  assert.deepEqual(
    written.map(line => [line.level, line.msg, line.level_name]),
    [
      [10, 'trace 100%d %s %%', undefined],
      [20, 'debug 100%d %s %%', undefined],
      [30, 'info 100%d %s %%', undefined],
      [30, 'success 100%d %s %%', 'SUCCESS'],
      [40, 'warning 100%d %s %%', undefined],
      [50, 'error 100%d %s %%', undefined],
      [60, 'critical 100%d %s %%', undefined],
    ],
  )
  box.log.error('broke', new TypeError('no function'), { password: secret, order: 7, err: { code: 'E1' } })
  const { err, password, order, timestamp, time, source } = written.at(-1) as ParsedLine & {
    err: Record<string, string>
  }
  assert.deepEqual([err.type, err.message, err.code], ['TypeError', 'no function', 'E1'])
  assert.match(String(err.stack), /^TypeError: no function\n +at /)
  assert.deepEqual([password, order, timestamp, typeof time], ['[redacted]', 7, undefined, 'number'])
  assert.match(String(source), /^pino\.test\.ts:/)
  assert.equal(await box.flush(), true)
})

test('FA-55 FA-14 a pino logger as the sink gets the id of each request, 50 at once', async t => {
  const { box, written } = toPino()
  let records = 0
  const done = new Promise<void>(resolve => box.onRecord(() => ++records === 50 && resolve()))
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      await turn()
      box.log.info('step', { of: request.url })
      response.end()
    }),
  )
  await fiftyRequests(url)
  await done
  await box.flush()
  staysApart(written, 50)
  assert.equal(written.filter(({ msg }) => msg === 'log request').length, 50)
})

test('FA-55 the log of a Fastify app, and one without trace and fatal, can be the sink', async t => {
  const written: ParsedLine[] = []
  const app = fastify({
    logger: { level: 'trace', stream: { write: line => written.push(JSON.parse(line)) } },
  })
  t.after(() => app.close())
  const { box } = captureLog({ log: { sink: pinoSink(app.log) } })
  box.log.critical('through Fastify')
  assert.deepEqual([written[0]?.level, written[0]?.msg], [60, 'through Fastify'])

  const calls: unknown[] = []
  const small = (level: string) => (fields: object, message?: string) => calls.push([level, message, fields])
  const sink = pinoSink({ info: small('info'), warn: small('warn'), error: small('error') })
  sink.write('{"timestamp":"","level":"TRACE","message":"a","x":1}\n')
  sink.write('{"timestamp":"","level":"CRITICAL","message":"b"}\n')
  sink.write('{"timestamp":"","level":"AUDIT","message":"c"}\n')
  sink.write('no JSON\n')
  await sink.drain()
  assert.deepEqual(calls, [
    ['info', 'a', { x: 1 }],
    ['error', 'b', {}],
    ['info', 'c', { level_name: 'AUDIT' }],
    ['info', 'no JSON', {}],
  ])
})

test('FA-55 pinoSink.drain waits until pino has written out what it buffers', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-pino-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'log')
  const sink = pinoSink(pino({}, pino.destination({ dest: file, sync: false, minLength: 4096 })))
  const { box } = captureLog({ log: { sink } })
  for (let i = 0; i < 100; i++) box.log.info('line', { i })
  await sink.drain()
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 101)
})

/** What is said on stderr from now on. */
function stderrOf(t: TestContext): string[] {
  const said: string[] = []
  const { write } = process.stderr
  process.stderr.write = (text: unknown) => said.push(String(text)) > 0
  t.after(() => {
    process.stderr.write = write
  })
  return said
}

test('FA-55 FA-10 a pino logger that fails costs its lines and nothing else', t => {
  const said = stderrOf(t)
  const write = (): void => assert.fail('no room')
  const { box } = captureLog({ log: { sink: pinoSink(pino({}, { write })) } })
  box.log.info('lost')
  box.log.info('lost too')
  assert.deepEqual([box.stats().lines, said.length], [{ written: 0, lost: 2 }, 1])
  assert.match(String(said), /the log sink failed, 1 lines are lost so far: no room/)
})

test('FA-55 a pino logger that writes back into the log that it serves makes no loop', t => {
  const said = stderrOf(t)
  const late: { write(line: string): void } = { write: () => assert.fail('too early') }
  const logger = pino({}, { write: line => late.write(line) })
  const { box } = captureLog({ log: { sink: pinoSink(logger) } })
  Object.assign(late, pinoDestination(box.log))
  box.log.info('round')
  logger.info('and round')
  assert.match(String(said), /writes into the log that it takes its lines from/)
  const { lost } = box.stats().lines
  assert(lost >= 2 && lost < 5, `${lost} lines`)
})
