import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as compat from 'deedbox/compat/immutablelog'
import {
  keepAll,
  LedgerStandIn,
  singlePostsOnly,
  until,
} from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { type Answer, type Line, type RunningService, spokenIn, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/from-flask-and-fastapi.md', '## The Flask extension')
const box = page.fence('// box.ts')
const app = page.fence('// app.ts')
const listens = page.fence('createApp().listen(8080)')

/** What the tests need beside the page's routes. */
const probes = `
  app.get(['/ping', '/health'], () => {
    throw new Error('sick')
  })
  app.get('/old', (_req, res) => res.redirect('/new'))
  app.get('/named/:n', async (req, res) => {
    box.event('named.' + req.params.n)
    await new Promise(setImmediate)
    res.json({ set: app.locals.deedbox === box })
  })
  return app`

/** The event of a request as the stand-in got it, once it is there. */
async function eventOf(ledger: LedgerStandIn, answer: Answer): Promise<{ meta: Line; payload: Line }> {
  const id = answer.headers['x-request-id']
  const find = () => [...ledger.stored.values()].find(({ meta }) => meta.request_id === id)
  await until(() => find() !== undefined)
  const { meta, payload } = find()!
  return { meta, payload: JSON.parse(payload) as Line }
}

test('samples of the Flask extension', async t => {
  const twice = `${onFreePort(listens)}createApp().listen(0)\n`
  const withPing = replaceOnce(app, '  return app', probes)
  const late = replaceOnce(
    app,
    "  app.use(observe(box))\n  app.use('/payments', payments)\n",
    "  app.use('/payments', payments)\n  app.use(observe(box))\n",
  )
  const folder = await snippetFolder(t, 'express-5', {
    'box.ts': box,
    'payments.ts': page.fence('// payments.ts'),
    'app.ts': withPing,
    'server.ts': onFreePort(listens),
    'twice.ts': twice,
    'late-app.ts': late,
    'late.ts': replaceOnce(onFreePort(listens), './app.ts', './late-app.ts'),
    'mounted-first.ts': onFreePort(page.fence('attachServer(server, box)')),
    'by-path/box.ts': replaceOnce(box, "service: 'shop',", "service: 'shop', eventNames: 'path',"),
    'by-path/payments.ts': page.fence('// payments.ts'),
    'by-path/app.ts': app,
    'by-path/server.ts': onFreePort(listens),
    'unskipped/box.ts': replaceOnce(box, "['/health', '/metrics', '/ping']", '[]'),
    'unskipped/payments.ts': page.fence('// payments.ts'),
    'unskipped/app.ts': withPing,
    'unskipped/server.ts': onFreePort(listens),
  })
  const ledger = await new LedgerStandIn(keepAll).listen()
  t.after(() => ledger.close())
  const env = { IMTBL_URL: ledger.url, IMTBL_API_KEY: 'iml_live_secret' }
  const running = await startService(t, folder.runnable('server.ts'), { env })

  await t.test(
    'sample 2, IF-05 IF-18 IF-20: an event for a 200, a 302, a 404 and a throw, no more',
    async () => {
      const seen: unknown[] = []
      for (const [method, path] of [
        ['POST', '/payments/7/refund'],
        ['GET', '/old'],
        ['GET', '/nowhere'],
        ['POST', '/payments/7/capture'],
      ] as const) {
        const { payload } = await eventOf(ledger, await running.call(method, path))
        const block = payload[String(payload.kind)] as { status_code: number }
        seen.push([payload.kind, payload.severity, payload.message, block.status_code])
      }
      assert.deepEqual(seen, [
        ['success', 'low', 'POST /payments/7/refund completed successfully', 200],
        ['info', 'low', 'GET /old processed', 302],
        ['error', 'high', 'GET /nowhere returned error 404', 404],
        ['error', 'high', 'POST /payments/7/capture failed with exception: Error', 500],
      ])
      assert.equal(ledger.stored.size, 4)
    },
  )

  await t.test('sample 4, IF-02: it starts without key and URL, and says once what is off', async t => {
    const alone = await startService(t, folder.runnable('server.ts'))
    for (const n of [1, 2]) assert.equal((await alone.call('POST', `/payments/${n}/refund`)).status, 200)
    const lines = await alone.when(all => all.filter(line => 'payload' in line).length === 2)
    assert.equal(lines.filter(line => line.level === 'WARNING').length, 1)
    page.says('A URL without a key is a start-up error')
    const keyless = startService(t, folder.runnable('server.ts'), { env: { IMTBL_URL: ledger.url } })
    await assert.rejects(keyless, /API_KEY: missing, although ledger\.url is set/)
  })

  await t.test('sample 5, IF-04: a factory called twice, one event for each request', async t => {
    const two = await startService(t, folder.runnable('twice.ts'), { env })
    const before = ledger.stored.size
    const ports = await two.ports(2)
    for (const port of ports) await eventOf(ledger, await two.call('POST', '/payments/8/refund', { port }))
    await two.stop()
    assert.equal(ledger.stored.size, before + 2)
  })

  await t.test('sample 6, IF-03: the token from a .env file, and in no output', async t => {
    writeFileSync(join(folder.path, '.env'), `IMTBL_URL=${ledger.url}\nIMTBL_API_KEY=iml_live_fromfile\n`)
    page.says('`node --env-file=.env server.ts`')
    const other = await startService(t, folder.runnable('server.ts'), { flags: ['--env-file=.env'] })
    await eventOf(ledger, await other.call('POST', '/payments/9/capture'))
    await other.stop()
    assert.equal(ledger.calls.at(-1)?.headers.authorization, 'Bearer iml_live_fromfile')
    assert.doesNotMatch(JSON.stringify(other.lines()) + other.rest() + other.stdout(), /fromfile/)
  })

  await t.test('sample 7, IF-16: names of 200 requests at once do not cross', async () => {
    const numbers = Array.from({ length: 200 }, (_, n) => n)
    const names = await Promise.all(
      numbers.map(async n => {
        const answer = await running.call('GET', `/named/${n}`)
        assert.equal(answer.body, '{"set":true}')
        return (await eventOf(ledger, answer)).meta.event_name
      }),
    )
    assert.deepEqual(
      names,
      numbers.map(n => `named.${n}`),
    )
  })

  await t.test('sample 8, IF-16: the default name has the template, or the path', async t => {
    const named = async (service: RunningService) =>
      (await eventOf(ledger, await service.call('POST', '/payments/7/capture'))).meta.event_name
    assert.equal(await named(running), 'http.POST./payments/:id/capture')
    const byPath = await startService(t, folder.runnable('by-path/server.ts'), { env })
    assert.equal(await named(byPath), 'http.POST./payments/7/capture')
    page.says("`eventNames: 'path'` gives `http.POST./payments/7/refund`")
  })

  await t.test('sample 9, IF-07 IF-08: skipped paths, also where they throw, and none skipped', async t => {
    const before = ledger.stored.size
    const sick = await running.call('GET', '/ping')
    assert.equal(sick.status, 500)
    assert.match(String((await spokenIn(running, sick))[0]?.exception), /^Error: sick/)
    await eventOf(ledger, await running.call('GET', '/nowhere'))
    assert.equal(ledger.stored.size, before + 1)
    const all = await startService(t, folder.runnable('unskipped/server.ts'), { env })
    const event = await eventOf(ledger, await all.call('GET', '/health'))
    assert.equal(event.meta.event_name, 'http.GET./health')
  })

  await t.test('sample 10, IF-06 IF-16: a router that imports log and event, and nothing else', async () => {
    const answer = await running.call('POST', '/payments/7/refund')
    const { meta, payload } = await eventOf(ledger, answer)
    const [line] = await spokenIn(running, answer)
    assert.deepEqual([line?.message, line?.id], ['refunding', '7'])
    assert.equal(meta.event_name, 'payment.refunded')
    assert.equal((payload.request as { path: string }).path, '/payments/7/refund')
  })

  await t.test('sample 11, IF-04 IF-06: mounted first, and observed at the server or told so', async t => {
    const attached = await startService(t, folder.runnable('mounted-first.ts'), { env })
    const { meta } = await eventOf(ledger, await attached.call('POST', '/payments/7/capture'))
    assert.equal(meta.event_name, 'http.POST./payments/7/capture')
    page.says('says so if it is mounted behind routes')
    const behind = await startService(t, folder.runnable('late.ts'), { env })
    const unseen = await behind.call('POST', '/payments/7/refund')
    assert.equal(unseen.headers['x-request-id'], undefined)
    await behind.call('GET', '/nowhere')
    const lines = await behind.when(all => all.some(line => line.notice === 'observed_late'))
    assert.equal(lines.filter(line => line.notice === 'observed_late').length, 1)
  })

  await t.test(
    'sample 12, IF-09 IF-10 IF-29: one id in, out, in the line and in the event of an error',
    async () => {
      ledger.follow(singlePostsOnly)
      const answer = await running.call('POST', '/payments/7/capture', {
        headers: { 'x-request-id': 'mine-12' },
      })
      const { payload, meta } = await eventOf(ledger, answer)
      const [line, ...more] = await spokenIn(running, answer)
      const ids = [answer.headers['x-request-id'], meta.request_id, line?.request_id]
      assert.deepEqual(ids, ['mine-12', 'mine-12', 'mine-12'])
      const { exception, exception_message, status_code } = payload.error as Line
      assert.deepEqual(
        [answer.status, exception, exception_message, status_code, more],
        [500, 'Error', 'the bank does not answer', 500, []],
      )
      await running.stop()
      // Alone in its call, the event has the six headers of the wire contract. (IF-28)
      const single = ledger.calls.find(call => call.path === '/v1/events' && call.body.includes('mine-12'))
      const six = 'Authorization Content-Type Idempotency-Key Request-Id X-Client-TZ X-Client-Offset-Minutes'
      for (const name of six.split(' ')) assert(single?.rawHeaders.includes(name), name)
      assert.equal(typeof (JSON.parse(single?.body ?? '{}') as Line).payload, 'string')
    },
  )
})

test('sample 3, IF-18 IF-19 IF-22 IF-36: its helpers are where the page says', () => {
  page.says('in `deedbox/compat/immutablelog`')
  for (const name of ['clampPayload', 'hashBody', 'severityFrom', 'getSeverityLevel'])
    assert(name in compat, name)
})

everyBlockIsTested(page)
