import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import winston, { type LogEntry, type LoggerOptions } from 'winston'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions } from '../index.ts'
import { captureLog, type ParsedLine } from '../testing/captured-log.ts'
import { fiftyRequests, staysApart } from '../testing/fifty-requests.ts'
import { serve } from '../testing/served.ts'
import { winstonSink, winstonTransport } from './winston.ts'

const { createLogger, format, transports } = winston
const secret = 'hunter2-correct-horse'

function fromWinston(settings: LoggerOptions = {}) {
  const log = captureLog()
  log.box.log.level = 'TRACE'
  const transport = winstonTransport(log.box.log)
  return { ...log, transport, logger: createLogger({ level: 'silly', ...settings, transports: [transport] }) }
}

test('FA-55 winston: every level, message and field of winston is ours', async () => {
  const { logger, lines, texts } = fromWinston({
    format: format.combine(format.colorize(), format.timestamp(), format.splat(), format.json()),
    defaultMeta: { module: 'cart' },
  })
  for (const level of ['silly', 'debug', 'verbose', 'http', 'info', 'warn', 'error'] as const)
    logger[level](level)
  logger.info('%s of %d', 'one', 2)
  logger.info(`token=${secret}`, { password: secret, order: 7 })
  logger.child({ route: '/' }).info('child')
  const found = await lines()
  assert.deepEqual(
    found.map(({ level, message }) => `${level} ${message}`),
    [
      'TRACE silly',
      'DEBUG debug',
      'DEBUG verbose',
      'INFO http',
      'INFO info',
      'WARNING warn',
      'ERROR error',
      'INFO one of 2',
      'INFO token=[redacted]',
      'INFO child',
    ],
  )
  const { timestamp, source, ...rest } = found.at(-2) ?? {}
  assert.match(String(timestamp), /\+00:00$/)
  assert.match(String(source), /^winston\.test\.ts:/)
  assert.deepEqual(rest, {
    level: 'INFO',
    message: 'token=[redacted]',
    module: 'cart',
    password: '[redacted]',
    order: 7,
  })
  assert.equal(found.at(-1)?.route, '/')
  assert.doesNotMatch(texts.join(''), /hunter2/)
})

test('FA-55 winston: levels of syslog and of the service', async () => {
  const { logger, lines } = fromWinston({
    levels: { ...winston.config.syslog.levels, loud: 8 },
    level: 'loud',
  })
  for (const level of [...Object.keys(winston.config.syslog.levels), 'loud']) logger.log(level, level)
  assert.deepEqual(
    (await lines()).map(({ level }) => level),
    ['CRITICAL', 'CRITICAL', 'CRITICAL', 'ERROR', 'WARNING', 'INFO', 'INFO', 'DEBUG', 'INFO'],
  )
})

test('FA-55 winston: its errors become exceptions, with their causes', async () => {
  const { logger, lines } = fromWinston({
    format: format.combine(format.errors({ stack: true }), format.json()),
  })
  const error = Object.assign(new TypeError('late', { cause: new Error('deeper') }), { code: 'E1' })
  logger.error('failed:', error)
  logger.error(error)
  logger.child({ route: '/' }).error('failed:', error)
  logger.error('with fields', { error, order: 7 })
  const found = await lines()
  assert.deepEqual(
    found.map(({ message, code }) => [message, code]),
    [
      ['failed: late', 'E1'],
      ['late', 'E1'],
      ['failed: late', 'E1'],
      ['with fields', undefined],
    ],
  )
  for (const { exception, stack } of found.slice(0, 3)) {
    assert.match(String(exception), /^TypeError: late\n +at /)
    assert.equal(stack, undefined)
  }
  assert.match(String(found[0]?.exception), /Caused by: Error: deeper/)
  assert.match(JSON.stringify(found[3]?.error), /"type":"TypeError"/)
})

test('FA-55 winston: level, silent and exceptions of a transport', async () => {
  const { logger, lines, transport } = fromWinston({ level: 'info' })
  logger.debug('less than the logger takes')
  transport.level = 'warn'
  logger.info('too little')
  logger.warn('enough')
  logger.log({ level: 'error', message: 'uncaught', exception: true })
  transport.handleExceptions = true
  logger.log(logger.exceptions.getAllInfo(new Error('boom')) as LogEntry)
  transport.silent = true
  logger.error('silent')
  const found = await lines()
  assert.equal(found.length, 2)
  assert.equal(found[0]?.message, 'enough')
  const { exception, message, process: about } = found[1] ?? {}
  assert.equal(message, 'uncaughtException: boom')
  assert.match(String(exception), /^Error: boom\n/)
  assert.equal(about, undefined)
})

test('FA-55 FA-14 winston: its lines carry the id of their request, 50 at once, beside a slow transport', async t => {
  const { box, logger, lines, recorded, texts } = fromWinston()
  // One entry at a time, each in a turn of its own: winston holds the others back.
  const slow = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (_info, _encoding, done) => void setImmediate(done),
  })
  logger.add(Object.assign(slow, { log: () => undefined }))
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
  while (texts.filter(text => text.includes('"of"')).length < 150) await turn()
  staysApart(await lines(), 150)
})

test('FA-55 winston: a transport taken out leaves the logger as it was', () => {
  const { logger, transport, texts } = fromWinston()
  assert.equal(Object.hasOwn(logger, 'write'), true)
  logger.remove(transport)
  assert.equal(Object.hasOwn(logger, 'write'), false)
  logger.add(transport)
  logger.info('again')
  assert.equal(texts.length, 1)
})

/** A winston logger that keeps its entries, as the sink of an instance. */
function toWinston(options: DeedboxOptions = {}, settings: LoggerOptions = {}) {
  const written: ParsedLine[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const logger = createLogger({
    level: 'silly',
    format: format.combine(format.splat(), format.json()),
    ...settings,
    transports: [new transports.Stream({ stream })],
  })
  const log = { level: 'TRACE', ...options.log, sink: winstonSink(logger) } as const
  return { ...captureLog({ ...options, log }), logger, written }
}

test('FA-55 a winston logger as the sink gets level, message, fields and exception', () => {
  const { box, written } = toWinston()
  for (const level of ['trace', 'debug', 'info', 'success', 'warning', 'error', 'critical'] as const)
    box.log[level](`${level} 100%d %s %%`)
  assert.deepEqual(
    written.map(line => [line.level, line.message, line.level_name]),
    [
      ['silly', 'trace 100%d %s %%', undefined],
      ['debug', 'debug 100%d %s %%', undefined],
      ['info', 'info 100%d %s %%', undefined],
      ['info', 'success 100%d %s %%', 'SUCCESS'],
      ['warn', 'warning 100%d %s %%', undefined],
      ['error', 'error 100%d %s %%', undefined],
      ['error', 'critical 100%d %s %%', 'CRITICAL'],
    ],
  )
  box.log.error('broke', new TypeError('no function'), { password: secret, order: 7 })
  const { stack, password, order, source } = written.at(-1) ?? {}
  assert.match(String(stack), /^TypeError: no function\n +at /)
  assert.deepEqual([password, order], ['[redacted]', 7])
  assert.match(String(source), /^winston\.test\.ts:/)
  const syslog = toWinston({}, { levels: winston.config.syslog.levels, level: 'debug' })
  syslog.box.log.critical('c')
  syslog.box.log.warn('w')
  syslog.box.log.trace('t')
  assert.deepEqual(
    syslog.written.map(({ level }) => level),
    ['crit', 'warning', 'debug'],
  )
})

test('FA-55 FA-14 a winston logger as the sink gets the id of each request, 50 at once', async t => {
  const { box, written, recorded } = toWinston()
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      await turn()
      box.log.info('step', { of: request.url })
      response.end()
    }),
  )
  await fiftyRequests(url)
  await recorded(50)
  await box.flush()
  staysApart(written, 50)
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

test('FA-55 FA-10 a winston logger that was ended costs its lines and nothing else', async t => {
  const said = stderrOf(t)
  const { box, logger } = toWinston()
  logger.end()
  box.log.info('lost')
  await turn()
  assert.deepEqual(box.stats().lines, { written: 0, lost: 1 })
  assert.match(String(said), /the log sink failed, 1 lines are lost so far: the winston logger/)
})

test('FA-55 a winston logger that writes back into the log that it serves makes no loop', async t => {
  const said = stderrOf(t)
  const { box, logger, written } = toWinston()
  logger.add(winstonTransport(box.log))
  box.log.info('round')
  box.log.info('and round')
  logger.info('from winston')
  await turn()
  assert.deepEqual(
    written.map(({ message }) => message),
    ['round', 'and round', 'from winston', 'from winston'],
  )
  assert.deepEqual(said, ['deedbox: winstonTransport leaves out what winstonSink put into its logger\n'])
})
