import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/hono.md')
const observed = 'app.use(observe(box))\n'
const service = onFreePort(page.fence('import { HTTPException }'))
const shown = page.shown('"message":"request validation exception"')
const failing = page.fence('// in a handler or a hook')
const asked = page.fence("onError(box, { validation: 'answer' })")
const identified = page.fence("c.get('user')?.id")

const [, imported = ''] = /with `(import type .*?)`/.exec(identified) ?? []
const [, variables = ''] = /are\n\/\/ (.*) and a middleware/.exec(identified) ?? []
const user = "app.use((c, next) => {\n  c.set('user', { id: 'u_7' })\n  return next()\n})\n"
const handler = `orders.delete('/:order', c => {
  try {
    throw new Error('kept')
  } catch (error) {
    ${failing.replaceAll('\n', '\n    ')}
    return c.text('no', 409)
  }
})
`
const files = {
  'shop.ts': service,
  'telling.ts': replaceOnce(service, 'const app =', `${handler}\nconst app =`),
  'answering.ts': replaceOnce(service, `${observed}app.onError(onError(box))\n`, asked),
  'identified.ts': `${imported}\n${replaceOnce(
    replaceOnce(service, observed, identified + user),
    'Variables: DeedboxVariables',
    `Variables: ${variables}`,
  )}`,
}
const path = '/customers/7/orders/9'

test('guide, Hono: an order, the lines of a wrong one, an exception, and the end', async t => {
  const folder = await snippetFolder(t, 'hono-4', files)

  await t.test('as the page has it', async t => {
    const ledger = await startTestServer(t)
    const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
    const running = await startService(t, folder.runnable('shop.ts'), { env })
    const placed = await running.call('POST', path, { json: { amount: 12 } })
    const id = placed.headers['x-request-id']
    assert.deepEqual([placed.status, JSON.parse(placed.body)], [200, { ok: true, request: id }])
    assert.equal((await running.linesOf(placed))[0]?.token, '[redacted]')
    const agent = { 'user-agent': String(shown[1]?.user_agent) }
    const wrong = await running.call('POST', path, { json: { amount: 'x' }, headers: agent })
    assert.deepEqual([wrong.status, wrong.body], [400, 'no such order'])
    assertShown(await running.linesOf(wrong), shown, [])
    const failed = await running.call('GET', path)
    assert.deepEqual([failed.status, failed.body], [500, 'Internal Server Error'])
    const [line, ...more] = await running.linesOf(failed)
    assert.deepEqual([line?.message, more], ['Unhandled exception', []])
    assert.match(String(line?.exception), /^Error: no stock/)
    page.says('and prints nothing')
    assert.equal(running.rest(), '')
    assert.equal(await running.stop(), 0)
    const names = ledger.ledger.search({ service: 'shop' }).events.map(({ meta }) => meta.event_name)
    assert.deepEqual(names.sort(), [
      'http.GET./customers/:customer/orders/:order',
      'http.POST./customers/:customer/orders/:order',
      'payment.checkout.initiated',
    ])
  })

  await t.test('an error that is told', async t => {
    const running = await startService(t, folder.runnable('telling.ts'))
    const told = await running.call('DELETE', path)
    const line = (await running.linesOf(told)).find(each => 'status_code' in each)
    assert.deepEqual([told.status, line?.status_code], [409, 409])
    assert.match(String(line?.exception), /^Error: kept/)
  })

  await t.test('answered by us', async t => {
    const running = await startService(t, folder.runnable('answering.ts'))
    const wrong = await running.call('POST', path, { json: { amount: 'x' } })
    assert.equal(wrong.status, 422)
    assert.deepEqual(JSON.parse(wrong.body), { detail: shown[0]?.detail })
    const failed = await running.call('GET', path)
    assert.deepEqual([failed.status, failed.body], [500, 'Internal Server Error'])
    await running.linesOf(failed)
    await running.stop()
    assert.equal(running.rest() + running.stdout(), '')
  })

  await t.test('who it was', async t => {
    const running = await startService(t, folder.runnable('identified.ts'))
    const lines = await running.linesOf(await running.call('POST', path, { json: { amount: 12 } }))
    assert.equal(lines.find(line => 'status_code' in line)?.user, 'u_7')
  })
})

test('DF-01 DF-11 guide, Hono: health endpoints ahead of what asks who it is', async t => {
  const healthy = onFreePort(page.fence('// healthy.ts'))
  const folder = await snippetFolder(t, 'hono-4', { 'healthy.ts': healthy })
  await healthSection(t, folder.runnable('healthy.ts'), { path: '/', status: 401 })
})

everyBlockIsTested(page)
