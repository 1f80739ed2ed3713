import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  keepAll,
  LedgerStandIn,
  type ReceivedItem,
  until,
} from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { cleanEnv, type RunningService, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/from-immutablelog.md')
const server = onFreePort(page.fence('// server.ts'))
const middleware = /immutableLogMiddleware\(\{[\s\S]*?\n {2}\}\)/.exec(server)?.[0] ?? ''
const files = {
  'server.ts': server,
  'settings.ts': replaceOnce(server, middleware, 'immutableLogMiddleware()'),
  'audit.ts': page.fence('// audit.ts'),
  'payments.ts': page.fence('// payments.ts'),
  'app.ts': onFreePort(page.fence('// app.ts')),
  'functions.ts': page.fence('// functions.ts'),
  'send.ts': page.fence('// send.ts'),
  'own-helper.ts': page.fence('// own-helper.ts'),
  'bare-fetch.ts': page.fence('// bare-fetch.ts'),
  'pure.test.ts': page.fence('// pure.test.ts'),
}
const printed = page.fence('accepted false tx_ 64')

/** A stand-in for a ledger, and the variables that lead to it. */
async function aLedger(t: TestContext): Promise<{ ledger: LedgerStandIn; env: Record<string, string> }> {
  const ledger = await new LedgerStandIn(keepAll).listen()
  t.after(() => ledger.close())
  return { ledger, env: { IMTBL_URL: ledger.url, IMTBL_API_KEY: 'iml_live_secret' } }
}

/** Names, kinds and services of the events in a ledger, once there are so many. */
async function told(ledger: LedgerStandIn, count: number): Promise<unknown[]> {
  await until(() => ledger.stored.size >= count)
  return [...ledger.stored.values()].map(({ meta }) => [meta.event_name, meta.type, meta.service])
}

function payloadOf(item: ReceivedItem | undefined): Record<string, Record<string, unknown>> {
  return JSON.parse(item?.payload ?? '{}')
}

async function stopped(running: RunningService): Promise<void> {
  await running.stop()
  assert.deepEqual(running.lines(), [], 'the originals write nothing when all is well')
}

test('guide, ImmutableLog: Express, functions, sending, helpers', async t => {
  const folder = await snippetFolder(t, 'express-5', files)
  const start = (name: string, env: Record<string, string>): ReturnType<typeof run> =>
    run(process.execPath, [folder.runnable(name)], { env: cleanEnv(env), cwd: folder.path })

  await t.test('samples 2, 4, 13 and 15: the middleware, with options and with variables alone', async t => {
    for (const [name, service] of [
      ['server.ts', 'shop'],
      ['settings.ts', 'express-service'],
    ] as const) {
      const { ledger, env } = await aLedger(t)
      const running = await startService(t, folder.runnable(name), { env })
      await running.call('POST', '/checkout')
      for (const path of ['/old', '/nowhere', '/broken', '/health']) await running.call('GET', path)
      assert.deepEqual(await told(ledger, 4), [
        ['payment.checkout.initiated', 'success', service],
        ['http.GET./old', 'info', service],
        ['http.GET./nowhere', 'error', service],
        ['http.GET./broken', 'error', service],
      ])
      const [, , , broken] = ledger.stored.values()
      assert.equal(payloadOf(broken).error?.exception, 'RangeError')
      await stopped(running)
      assert.equal(ledger.stored.size, 4)
      assert.doesNotMatch(running.rest() + running.stdout(), /iml_live/)
    }
  })

  await t.test('sample 4, ruling 1: no key, and it starts, saying once that nothing is sent', async t => {
    const running = await startService(t, folder.runnable('server.ts'))
    for (const _ of [1, 2]) assert.equal((await running.call('POST', '/checkout')).status, 200)
    const lines = await running.when(all => all.filter(({ type }) => type === 'audit').length === 2)
    assert.deepEqual(
      lines.map(({ level, notice }) => [level, notice]),
      [
        ['WARNING', 'no_ledger'],
        ['INFO', undefined],
        ['INFO', undefined],
      ],
    )
  })

  await t.test('samples 30 to 33, IP-15: one audit for the application and its functions', async t => {
    const { ledger, env } = await aLedger(t)
    const running = await startService(t, folder.runnable('app.ts'), { env })
    const paid = await running.call('POST', '/payments/7')
    assert.deepEqual(JSON.parse(paid.body), {
      status: 'approved',
      paymentId: '7',
      amount: 12.5,
      invoiceId: 'inv_7',
    })
    page.says('leaves three events, `payment.process` of kind `success`, `invoice.generate` of kind `info`')
    assert.deepEqual(await told(ledger, 3), [
      ['payment.process', 'success', 'payments-service'],
      ['invoice.generate', 'info', 'payments-service'],
      ['http.POST./payments/7', 'success', 'payments-service'],
    ])
    const ids = [...ledger.stored.values()].map(({ meta }) => meta.request_id)
    assert.deepEqual(new Set(ids), new Set([paid.headers['x-request-id']]))
    await stopped(running)
  })

  await t.test('auditLog and auditLogAsync, and a process that ends by itself', async t => {
    const { ledger, env } = await aLedger(t)
    const { code, stderr } = await start('functions.ts', env)
    assert.deepEqual([code, stderr], [0, ''])
    page.says('is called `fn.functions.deleteUser`')
    assert.deepEqual(await told(ledger, 2), [
      ['fn.functions.deleteUser', 'info', 'user-service'],
      ['invoice.generate', 'success', 'node-service'],
    ])
  })

  await t.test('samples 18, 20, 21 and 22: sending, and what the page says it prints', async t => {
    const { url, key, ledger } = await startTestServer(t)
    const env = { IMTBL_URL: url, IMTBL_API_KEY: key }
    assert.deepEqual(await start('send.ts', env), { code: 0, stdout: printed, stderr: '' })
    const names = ledger.search({ limit: 100 }).events.map(({ meta }) => meta.event_name)
    for (const name of ['payment.approved', 'order.created'])
      assert.equal(names.filter(each => each === name).length, 2)
  })

  await t.test('samples 16 and 17: helpers of one’s own, over the client and over fetch', async t => {
    const { url, key, ledger } = await startTestServer(t)
    for (const [name, env] of [
      ['own-helper.ts', { DEEDBOX_URL: url, DEEDBOX_API_KEY: key }],
      ['bare-fetch.ts', { IMTBL_URL: url, IMTBL_API_KEY: key }],
    ] as const) {
      assert.deepEqual(await start(name, env), { code: 0, stdout: 'accepted\n', stderr: '' })
    }
    const { events } = ledger.search({ event_name: 'payment.settled', limit: 100 })
    assert.equal(events.length, 2)
    const refused = await start('bare-fetch.ts', { IMTBL_URL: url, IMTBL_API_KEY: 'deed_live_wrong' })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the ledger answered 401/)
  })

  await t.test('sample 3: the pure functions, in tests of one’s own', async () => {
    const { code, stdout } = await run(process.execPath, ['--test', folder.runnable('pure.test.ts')], {
      env: cleanEnv(),
      cwd: folder.path,
    })
    assert.equal(code, 0, stdout)
  })
})

/** Registered again, the plugin does nothing. (IF-04) */
function twice(service: string): string {
  return replaceOnce(service, "app.get('", "await app.register(immutableLogPlugin, {})\napp.get('")
}

for (const [workspace, name, listening, service, declarations] of [
  ['fastify-5', '// fastify.ts', '/orders/7', 'fastify-service', []],
  ['fastify-4', '// fastify.ts', '/orders/7', 'fastify-service', []],
  ['koa-3', '// koa.ts', '/orders/7', 'shop', ['koa-declarations.d.ts']],
] as const) {
  test(`guide, ImmutableLog, sample 14, IP-01: ${workspace}`, async t => {
    const folder = await snippetFolder(
      t,
      workspace,
      {
        'service.ts': workspace.startsWith('fastify')
          ? twice(onFreePort(page.fence(name)))
          : onFreePort(page.fence(name)),
      },
      { declarations },
    )
    const { ledger, env } = await aLedger(t)
    const running = await startService(t, folder.runnable('service.ts'), { env })
    assert.equal((await running.call('GET', listening)).body, '{"ok":true}')
    await running.call('GET', '/health')
    assert.deepEqual(await told(ledger, 1), [[`http.GET.${listening}`, 'success', service]])
    await stopped(running)
    assert.equal(ledger.stored.size, 1)
  })
}

test('guide, ImmutableLog, sample 14, IP-01: an application of Hono, told by its members', async t => {
  const service = `
import { serve } from '@hono/node-server'
import { ImmutableLogAudit } from 'deedbox/compat/immutablelog'
import { Hono } from 'hono'

const app = new Hono()
const audit = new ImmutableLogAudit({ app })
audit.attach(app)
app.get('/orders/:id', c => c.json({ ok: true }))
serve({ fetch: app.fetch, port: 0 })
`
  page.says('attaches to applications of Express, Fastify, Koa, Hono and Nest')
  const folder = await snippetFolder(t, 'hono-4', { 'service.ts': service })
  const { ledger, env } = await aLedger(t)
  const running = await startService(t, folder.runnable('service.ts'), { env })
  assert.equal((await running.call('GET', '/orders/7')).body, '{"ok":true}')
  assert.deepEqual(await told(ledger, 1), [['http.GET./orders/7', 'success', 'node-service']])
  await stopped(running)
  assert.equal(ledger.stored.size, 1)
})

for (const major of [12, 11]) {
  test(`guide, ImmutableLog, IP-01 IF-16: Nest ${major}, on both platforms`, async t => {
    const express = onFreePort(page.fence('// nest.ts'))
    const fastify = `import { FastifyAdapter } from '@nestjs/platform-fastify'\n${replaceOnce(
      express,
      'create(AppModule)',
      'create(AppModule, new FastifyAdapter())',
    )}`
    const attached = replaceOnce(
      replaceOnce(
        replaceOnce(express, "ImmutableLogModule.forRoot({ serviceName: 'shop' })", ''),
        '{ ImmutableLogModule }',
        '{ ImmutableLogAudit }',
      ),
      'await app.listen',
      'new ImmutableLogAudit({ app })\nawait app.listen',
    )
    const folder = await snippetFolder(
      t,
      `nest-${major}`,
      { 'express.ts': express, 'fastify.ts': fastify, 'attached.ts': attached },
      { decorators: true },
    )
    for (const [platform, name, service] of [
      ['express', 'order.paid', 'shop'],
      ['fastify', 'order.paid', 'shop'],
      // The module alone asks handlers for their names.
      ['attached', 'http.GET./orders/paid', 'nestjs-service'],
    ] as const) {
      await t.test(platform, async t => {
        const { ledger, env } = await aLedger(t)
        const running = await startService(t, folder.runnable(`${platform}.ts`), { env })
        assert.equal((await running.call('GET', '/orders/paid')).body, '{"ok":true}')
        assert.equal((await running.call('GET', '/orders/broken')).status, 500)
        assert.deepEqual(await told(ledger, 2), [
          [name, 'success', service],
          ['http.GET./orders/broken', 'error', service],
        ])
        const [, broken] = ledger.stored.values()
        assert.equal(payloadOf(broken).error?.exception, 'RangeError')
        await stopped(running)
        assert.equal(ledger.stored.size, 2)
      })
    }
  })
}

everyBlockIsTested(page)
