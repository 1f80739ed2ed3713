import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as entry from 'deedbox'
import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { type Line, spokenIn, startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/from-flask-and-fastapi.md', '## The FastAPI project')
const main = onFreePort(page.fence('// main.ts\nimport'))
const divide = onFreePort(page.fence('// divide.ts\nimport'))

test('samples of the FastAPI project', async t => {
  const instance = "const box = deedbox({ service: 'minimum' })\n"
  const other = page.fence('requestFields:').replace(/^.*\n/, '')
  const folder = await snippetFolder(t, 'express-5', {
    'hello.ts': page.fence('// hello.ts'),
    'main.ts': main,
    'twice.ts': replaceOnce(main, 'app.use(observe(box))', 'app.use(observe(box))\napp.use(observe(box))'),
    'fields.ts': replaceOnce(main, instance, other),
    'divide.ts': divide,
    'own.ts': replaceOnce(
      divide,
      '\napp.listen(0)',
      `${page.fence('// divide.ts, ahead of')}\napp.listen(0)`,
    ),
    'own-alone.ts': replaceOnce(
      replaceOnce(divide, '\napp.listen(0)', `${page.fence('// divide.ts, ahead of')}\napp.listen(0)`),
      ", { validation: 'answer', unhandled: 'answer' }",
      '',
    ),
  })
  const schema = onFreePort(page.fence('// divide-fastify.ts'))
  const fastifyFolder = await snippetFolder(t, 'fastify-5', { 'divide-fastify.ts': schema })
  const leftOut =
    'timestamp source remote_ip schema protocol elapsed ttfb referer user_agent response_length'.split(' ')

  await t.test('sample 55, FA-33: observed twice, no line is doubled', async t => {
    const running = await startService(t, folder.runnable('twice.ts'))
    const lines = await spokenIn(running, await running.call('GET', '/hello'))
    assert.equal(lines.length, 2)
  })

  await t.test('sample 59, FA-32: configuration, masked, start and stop', async t => {
    const env = { DEEDBOX_ENV: 'development', DEEDBOX_LOG_FORMAT: 'flat', PARTNER_API_KEY: 'hidden' }
    const running = await startService(t, folder.runnable('main.ts'), { env })
    await running.when(all => all.some(line => line.message === 'started...'))
    assert.equal(await running.stop(), 0)
    const [config, ...more] = running.lines().filter(line => 'source' in line)
    assert.deepEqual([config?.message, config?.port, config?.api_key], ['config vars', 0, '[redacted]'])
    assert.deepEqual(
      more.map(line => line.message),
      ['started...', '...shutdown'],
    )
  })

  await t.test(
    'sample 66, FA-05 FA-14 FA-15 FA-22: the two lines, 60 the headers, 64 and 65 the router',
    async t => {
      const running = await startService(t, folder.runnable('main.ts'), { env: { REQUEST_ID_LENGTH: '8' } })
      const shown = page.shown('"message":"Hello world!"')
      const agent = { 'user-agent': String(shown[1]?.user_agent) }
      const answer = await running.call('GET', '/hello', { headers: agent })
      assert.match(answer.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
      assertShown(await spokenIn(running, answer), shown, [])
    },
  )

  await t.test('sample 62, FA-13: the length of the id', async t => {
    const running = await startService(t, folder.runnable('main.ts'), { env: { REQUEST_ID_LENGTH: '16' } })
    const answer = await running.call('GET', '/hello')
    page.says('`REQUEST_ID_LENGTH=16` gives 22 characters')
    assert.match(answer.headers['x-request-id'] ?? '', /^[\w-]{22}$/)
  })

  await t.test('sample 61: fields of request and response on the line', async t => {
    const running = await startService(t, folder.runnable('fields.ts'))
    const answer = await running.call('GET', '/hello?a=1', { headers: { 'x-tenant': 't1' } })
    const line = (await spokenIn(running, answer)).at(-1) ?? {}
    assert.deepEqual([line.tenant, line.url], ['t1', '/hello'])
    assert.match(String(line.content_type), /^application\/json/)
    assert(!('path_with_query' in line))
  })

  await t.test('sample 67, 68 and 70, FA-24 FA-25: Express with zod, answered by us', async t => {
    const running = await startService(t, folder.runnable('divide.ts'))
    assert.equal((await running.call('GET', '/divide?a=1&b=2')).body, '{"result":0.5}')
    const wrong = await running.call('GET', '/divide?a=1.5&b=2')
    assert.equal(wrong.status, 422)
    assert.deepEqual(JSON.parse(wrong.body), JSON.parse(page.fence('{"detail":[{"expected":"int","format"')))
    assertShown(await spokenIn(running, wrong), page.shown('"status_code":422'), leftOut)
    const failed = await running.call('GET', '/divide?a=1&b=0')
    assert.deepEqual([failed.status, failed.body], [500, 'Internal Server Error'])
    assert.match(failed.headers['content-type'] ?? '', /^text\/plain/)
    for (const name of ['x-request-id', 'x-processed-time']) assert(name in failed.headers, name)
    assertShown(await spokenIn(running, failed), page.shown('"message":"Unhandled exception"'), leftOut)
    await running.stop()
    assert.equal(running.rest() + running.stdout(), '')
    assert.equal(
      running.lines().filter(line => JSON.stringify(line).includes('RangeError: division')).length,
      1,
    )
  })

  await t.test('sample 67, 68 and 70, FA-24 FA-25: Fastify with a schema, answered by us', async t => {
    const running = await startService(t, fastifyFolder.runnable('divide-fastify.ts'))
    assert.equal((await running.call('GET', '/divide?a=1&b=2')).body, '{"result":0.5}')
    const wrong = await running.call('GET', '/divide?a=1.5&b=2')
    const [told, request] = await spokenIn(running, wrong)
    const { detail } = JSON.parse(wrong.body) as Line
    assert.deepEqual(
      [wrong.status, told?.message, request?.status_code],
      [422, 'request validation exception', 422],
    )
    assert.deepEqual(told?.detail, detail)
    const failed = await running.call('GET', '/divide?a=1&b=0')
    assert.deepEqual([failed.status, failed.body], [500, 'Internal Server Error'])
    assert.equal((await spokenIn(running, failed)).length, 1)
    await running.stop()
    assert.equal(running.rest() + running.stdout(), '')
  })

  for (const [file, how] of [
    ['own.ts', 'with the options'],
    ['own-alone.ts', 'without them'],
  ] as const) {
    await t.test(`sample 68 and 69, FA-24 FA-25 X-12: the service's own error handler, ${how}`, async t => {
      const running = await startService(t, folder.runnable(file))
      const wrong = await running.call('GET', '/divide?a=x&b=2')
      const { detail } = JSON.parse(wrong.body) as Line
      const [told, request, ...none] = await spokenIn(running, wrong)
      assert.deepEqual([wrong.status, request?.status_code, none], [422, 422, []])
      assert.deepEqual(
        [told?.message, told?.level, told?.detail],
        ['request validation exception', 'INFO', detail],
      )
      const failed = await running.call('GET', '/divide?a=1&b=0')
      assert.deepEqual([failed.status, failed.body], [500, '{"error":"something went wrong"}'])
      const [line, ...more] = await spokenIn(running, failed)
      assert.deepEqual([line?.level, line?.message, more], ['ERROR', 'Unhandled exception', []])
      await running.stop()
      assert.equal(running.rest() + running.stdout(), '')
    })
  }
})

test('sample 55, 57 and 63, FA-42: what the page names is there', async () => {
  assert.equal(typeof entry.initLogging, 'function')
  const { box, lines } = captureLog()
  box.log.error('failed', { err: new Error('no stock', { cause: new TypeError('no row') }) })
  await entry.withContext({ tenant: 't1' }, async () => {
    await null
    box.log.info('hello')
  })
  const [failed, hello] = await lines()
  assert.match(String(failed?.exception), /no stock/)
  assert.match(String(failed?.exception), /no row/)
  assert.deepEqual([hello?.message, hello?.tenant], ['hello', 't1'])
  await box.close()
})

everyBlockIsTested(page)
