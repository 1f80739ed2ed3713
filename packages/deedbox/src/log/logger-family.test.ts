import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lazy, type OwnLevels, withContext } from '../index.ts'
import { captureLog, type ParsedLine } from '../testing/captured-log.ts'

/** The lines of log calls, without what no test here is about. */
async function told(lines: () => Promise<readonly ParsedLine[]>): Promise<Record<string, unknown>[]> {
  return (await lines()).filter(line => !('notice' in line)).map(({ timestamp, source, ...rest }) => rest)
}

test('FA-47 child loggers add fields, inner ones before outer ones, and leave the parent as it was', async () => {
  const { box, lines } = captureLog()
  const child = box.log.child({ tenant: 't1', shard: 1 })
  child.with({ shard: 2 }).info('inner', { own: true })
  child.info('outer', { shard: 3 })
  box.log.info('parent')
  assert.deepEqual(await told(lines), [
    { level: 'INFO', message: 'inner', tenant: 't1', shard: 2, own: true },
    { level: 'INFO', message: 'outer', tenant: 't1', shard: 3 },
    { level: 'INFO', message: 'parent' },
  ])
  await box.close()
})

test('FA-47 fields of a context stand on each line inside it, also later ones, nested ones restore, and then it is over', async () => {
  const { box, lines } = captureLog()
  const late = await withContext({ tenant: 't1', depth: 1 }, async () => {
    box.log.info('outside')
    await withContext({ depth: 2 }, async () => {
      await new Promise(resolve => setImmediate(resolve))
      box.log.named('db').child({ table: 'x' }).info('inside', { own: 1 })
    })
    box.log.info('restored', { depth: 9 })
    return new Promise<void>(resolve => setTimeout(() => resolve(box.log.info('timer')), 5))
  })
  assert.equal(late, undefined)
  box.log.withContext({ a: 1 }, () => box.log.info('method'))
  assert.throws(
    () =>
      withContext({ gone: 1 }, () => {
        throw new Error('out')
      }),
    /out/,
  )
  box.log.info('after')
  assert.deepEqual(await told(lines), [
    { level: 'INFO', message: 'outside', tenant: 't1', depth: 1 },
    { level: 'INFO', message: 'inside', logger: 'db', tenant: 't1', depth: 2, table: 'x', own: 1 },
    { level: 'INFO', message: 'restored', tenant: 't1', depth: 9 },
    { level: 'INFO', message: 'timer', tenant: 't1', depth: 1 },
    { level: 'INFO', message: 'method', a: 1 },
    { level: 'INFO', message: 'after' },
  ])
  await box.close()
})

test('FA-47 a patch changes message and fields, several in their order, and one that throws costs nothing', async () => {
  const { box, lines } = captureLog()
  const given = { secret: 1 }
  const log = box.log
    .patch(line => {
      line.fields.seen = `${line.level} ${line.logger}`
      delete line.fields.secret
    })
    .named('shop')
    .patch(line => {
      line.message = `${line.message}!`
    })
    .patch(() => {
      throw new Error('bad patch')
    })
  log.warn('sold', given)
  assert.deepEqual(given, { secret: 1 })
  assert.deepEqual(await told(lines), [
    { level: 'WARNING', message: 'sold!', logger: 'shop', seen: 'WARNING shop', patch_failed: 'bad patch' },
  ])
  await box.close()
})

test('FA-48 lazy values are worked out once, and only for a line that is written; other functions are never called', async () => {
  const { box, lines } = captureLog({ env: 'production', log: { sinks: [] } })
  const texts: string[] = []
  box.addSink(line => texts.push(line))
  box.addSink(line => texts.push(line))
  let calls = 0
  const dump = lazy(() => ({ calls: ++calls }))
  box.log.debug('no', { dump })
  box.log.debug(lazy(() => `never ${++calls}`))
  assert.equal(calls, 0)
  box.log.info('yes', { dump, plain: () => ++calls })
  box.log.info(lazy(() => 'worked out'))
  box.log.info('fails', {
    bad: lazy(() => {
      throw new Error('no value')
    }),
  })
  box.log.info(
    lazy(() => {
      throw new Error('no message')
    }),
  )
  await box.flush()
  assert.equal(calls, 1)
  const seen = texts.map(text => JSON.parse(text) as Record<string, unknown>)
  assert.deepEqual(seen[0]?.dump, { calls: 1 })
  assert.deepEqual(seen[1], seen[0])
  assert.equal(seen[2]?.message, 'worked out')
  assert.match(String(seen[4]?.bad), /no value/)
  assert.equal(seen[6]?.message, 'A log call could not be written')
  assert.equal((await lines()).length, 0)
  await box.close()
})

test('FA-48 an error under the name err is the exception, and fields may come first', async () => {
  const { box, lines } = captureLog()
  box.log.error('failed', { err: new TypeError('declined'), attempt: 2 })
  ;(box.log.info as (...values: unknown[]) => void)({ attempt: 3 }, 'as pino has it')
  ;(box.log.info as (...values: unknown[]) => void)({ attempt: 4 })
  ;(box.log.info as (...values: unknown[]) => void)(42, 'no object')
  const [first, second, third, fourth] = await told(lines)
  assert.match(String(first?.exception), /^TypeError: declined\n/)
  assert.deepEqual(Object.keys(first ?? {}), ['level', 'message', 'attempt', 'exception'])
  assert.deepEqual(second, { level: 'INFO', message: 'as pino has it', attempt: 3 })
  assert.deepEqual(third, { level: 'INFO', message: '', attempt: 4 })
  assert.deepEqual(fourth, { level: 'INFO', message: '42', value: 'no object' })
  await box.close()
})

test('FA-49 catching logs what is thrown or rejected, gives undefined or throws on, and passes all else through', async () => {
  const { box, lines } = captureLog()
  const { catching } = box.log
  assert.equal(catching((a: number, b: number) => a + b)(1, 2), 3)
  const failing = catching(function parse(): number {
    throw new Error('sync')
  })
  assert.equal(failing(), undefined)
  assert.equal(failing.name, 'parse')
  const rejecting = catching(
    async () => {
      await null
      throw new Error('async')
    },
    { level: 'critical', message: 'the job failed' },
  )
  assert.equal(await rejecting(), undefined)
  const thrown = new Error('on')
  const loud = catching(
    () => {
      throw thrown
    },
    { rethrow: true },
  )
  assert.throws(loud, thrown)
  await assert.rejects(async () => catching(async () => Promise.reject(thrown), { rethrow: true })(), thrown)
  catching(() => {
    throw 'text'
  })()
  const seen = (await told(lines)).map(({ exception, ...rest }) => [rest, String(exception).split('\n')[0]])
  assert.deepEqual(seen, [
    [{ level: 'ERROR', message: 'An error was caught in parse' }, 'Error: sync'],
    [{ level: 'CRITICAL', message: 'the job failed' }, 'Error: async'],
    [{ level: 'ERROR', message: 'An error was caught in a function' }, 'Error: on'],
    [{ level: 'ERROR', message: 'An error was caught in a function' }, 'Error: on'],
    [{ level: 'ERROR', message: 'An error was caught in a function', thrown: 'text' }, 'undefined'],
  ])
  await box.close()
})

test('FA-30 FA-50 named loggers have levels by name or the beginning of it, which change while they run', async () => {
  const { box, lines } = captureLog({
    log: { level: 'INFO', levels: { db: 'ERROR', 'db.query': 'DEBUG', 'job.summary': 'ERROR' } },
  })
  const db = box.logger('db')
  const query = db.named('query')
  const pool = box.log.named('db.pool')
  db.warn('no')
  query.debug('yes')
  pool.warn('no')
  pool.error('yes')
  box.log.debug('no')
  box.logger('database').info('yes')
  await box.run({ name: 'quiet' }, () => undefined)
  assert.deepEqual([db.level, query.level, pool.level, box.log.level], ['ERROR', 'DEBUG', 'ERROR', 'INFO'])
  assert.deepEqual(
    [db.isEnabled('warn'), query.isEnabled('debug'), db.isEnabled('nothing')],
    [false, true, false],
  )
  db.level = 'trace'
  pool.trace('yes, later')
  box.log.level = 'ERROR'
  box.log.warn('no')
  query.debug('yes, still')
  assert.throws(() => {
    db.level = 'loud'
  }, /"loud" is no level/)
  assert.deepEqual(
    (await told(lines)).map(({ logger, message }) => [logger, message]),
    [
      ['db.query', 'yes'],
      ['db.pool', 'yes'],
      ['database', 'yes'],
      ['db.pool', 'yes, later'],
      ['db.query', 'yes, still'],
    ],
  )
  await box.close()
})

test('FA-04 levels of the service have numbers of their own; an unknown one is INFO', async () => {
  const { box, lines } = captureLog({ log: { level: 'NOTICE', ownLevels: { NOTICE: 27, AUDIT: 60 } } })
  box.log.log('notice', 'written', { a: 1 })
  box.log.log('AUDIT', 'most severe')
  box.log.success('less severe')
  box.log.log('nothing', 'info is below')
  box.log.level = 'INFO'
  box.log.log('nothing', 'info')
  assert.deepEqual(await told(lines), [
    { level: 'NOTICE', message: 'written', a: 1 },
    { level: 'AUDIT', message: 'most severe' },
    { level: 'INFO', message: 'info' },
  ])
  for (const bad of [{ notice: 27 }, { NOTICE: 0 }, { NOTICE: 1.5 }, { INFO: 21 }] as OwnLevels[])
    assert.throws(() => captureLog({ log: { ownLevels: bad } }), { code: 'invalid_configuration' })
  await box.close()
})

test('FA-05 a function that wraps log calls names the place that called it', async () => {
  const { box, lines } = captureLog()
  const outer = box.log.depth(1)
  function say(text: string): void {
    outer.info(text)
  }
  function caller(): void {
    say('wrapped')
    box.log.info('plain')
    box.log.log('INFO', 'by name')
  }
  caller()
  const sources = (await lines()).filter(line => !('notice' in line)).map(({ source }) => String(source))
  assert.equal(sources.length, 3)
  for (const source of sources) assert.match(source, /^logger-family\.test\.ts:caller:\d+$/)
  await box.close()
})
