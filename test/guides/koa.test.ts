import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/koa.md')
const observed = 'app.use(observe(box))\n'
const service = onFreePort(page.fence("import bodyParser from 'koa-bodyparser'"))
const shown = page.shown('"message":"Unhandled exception"')
const catching = page.fence("ctx.app.emit('error', error, ctx)")
const identified = page.fence('ctx.state.user?.id')
const [, answer = ''] =
  /`(observe\(box, \{ unhandled: 'answer', validation: 'answer' \}\))`/.exec(page.text) ?? []

const user = "app.use((ctx, next) => {\n  ctx.state.user = { id: 'u_7' }\n  return next()\n})\n"
const files = {
  'shop.ts': service,
  'catching.ts': replaceOnce(service, 'const orders =', `${catching}\nconst orders =`),
  'identified.ts': replaceOnce(service, observed, `${identified}${user}`),
  'answering.ts': replaceOnce(service, 'observe(box)', answer),
}
const declarations = ['koa-declarations.d.ts']
const path = '/customers/7/orders/9'

for (const major of [3, 2]) {
  test(`guide, Koa ${major}: an order, an exception, the line that the page shows, and the end`, async t => {
    const folder = await snippetFolder(t, `koa-${major}`, files, { declarations })

    await t.test('as the page has it', async t => {
      const ledger = await startTestServer(t)
      const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
      const running = await startService(t, folder.runnable('shop.ts'), { env })
      const placed = await running.call('POST', path, { json: {} })
      const id = placed.headers['x-request-id']
      assert.deepEqual([placed.status, JSON.parse(placed.body)], [200, { ok: true, request: id }])
      assert.equal((await running.linesOf(placed))[0]?.token, '[redacted]')
      const agent = { 'user-agent': String(shown[0]?.user_agent) }
      const failed = await running.call('GET', path, { headers: agent })
      assert.equal(failed.status, 500)
      assertShown(await running.linesOf(failed), shown, [])
      assert.match(running.rest(), /no stock/, 'Koa prints what it prints today')
      const other = await running.call('PUT', path)
      assert.equal((await running.linesOf(other)).at(-1)?.route, undefined)
      assert.equal(other.status, 405)
      assert.equal(await running.stop(), 0)
      const names = ledger.ledger.search({ service: 'shop' }).events.map(({ meta }) => meta.event_name)
      assert.deepEqual(names.sort(), [
        'http.GET./customers/:customer/orders/:order',
        `http.PUT.${path}`,
        'payment.checkout.initiated',
      ])
    })

    await t.test('errors that are caught, and told to the application', async t => {
      const running = await startService(t, folder.runnable('catching.ts'))
      const failed = await running.call('GET', path)
      assert.deepEqual([failed.status, failed.body], [503, 'later, please'])
      const line = (await running.linesOf(failed)).find(each => 'status_code' in each)
      assert.match(String(line?.exception), /^Error: no stock/)
    })

    await t.test('answered by us', async t => {
      const running = await startService(t, folder.runnable('answering.ts'))
      const failed = await running.call('GET', path)
      assert.deepEqual([failed.status, failed.body], [500, 'Internal Server Error'])
      assert.match(failed.headers['content-type'] ?? '', /^text\/plain/)
      await running.linesOf(failed)
      await running.stop()
      assert.equal(running.rest() + running.stdout(), '')
    })

    await t.test('who it was', async t => {
      const running = await startService(t, folder.runnable('identified.ts'))
      const lines = await running.linesOf(await running.call('POST', path, { json: {} }))
      assert.equal(lines.find(line => 'status_code' in line)?.user, 'u_7')
    })
  })
}

for (const major of [3, 2]) {
  test(`DF-01 DF-11 guide, Koa ${major}: health endpoints ahead of what asks who it is`, async t => {
    const healthy = onFreePort(page.fence('// healthy.ts'))
    const folder = await snippetFolder(t, `koa-${major}`, { 'healthy.ts': healthy }, { declarations })
    await healthSection(t, folder.runnable('healthy.ts'), { path: '/', status: 401 })
  })
}

everyBlockIsTested(page)
