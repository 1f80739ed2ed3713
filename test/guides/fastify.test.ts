import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/fastify.md')
const service = onFreePort(page.fence('required: ['))
const end = page.fence('await app.close()')
const asked = page.fence("unhandled: 'answer'")
const declared = page.fence('declare module')
const own = page.fence('new LogController')
const shown = page.shown('"message":"request validation exception"')
const leftOut = 'timestamp remote_ip schema protocol elapsed referer user_agent ttfb'.split(' ')

for (const major of [5, 4]) {
  const workspace = `fastify-${major}`

  test(`guide, Fastify ${major}: orders, the lines of a wrong one, an exception, and the end`, async t => {
    const typed = 'export const name: string = app.deedbox.service\nconsole.log(name)\n'
    const files = { 'server.ts': `${service}${end}${typed}`, 'declared.ts': declared }
    const folder = await snippetFolder(t, workspace, files)
    const ledger = await startTestServer(t)
    const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
    const running = await startService(t, folder.runnable('server.ts'), { env })
    const path = '/customers/7/orders'
    const placed = await running.call('POST', path, { json: { amount: 12 } })
    const id = placed.headers['x-request-id']
    assert.deepEqual([placed.status, JSON.parse(placed.body)], [200, { ok: true, request: id }])
    const [checkout, request] = await running.linesOf(placed)
    assert.equal(checkout?.token, '[redacted]')
    assert.equal(request?.route, '/customers/:customer/orders')
    page.says('(shortened here)')
    const wrong = await running.call('POST', path, { json: { amount: 'x' } })
    assertShown(await running.linesOf(wrong), shown, leftOut)
    assert.equal(wrong.status, 400)
    const broken = await running.call('GET', '/broken')
    assert.deepEqual([broken.status, JSON.parse(broken.body).message], [500, 'the shop is closed'])
    const [failure, ...more] = await running.linesOf(broken)
    assert.deepEqual([failure?.message, more], ['Unhandled exception', []])
    assert.match(String(failure?.exception), /^Error: the shop is closed/)
    assert.equal((await running.call('GET', '/%c0')).status, 400)
    await running.when(lines => lines.some(line => line.path_with_query === '/%c0'))
    assert.deepEqual([running.rest(), running.stdout()], ['', 'shop\n'])
    assert.equal(await running.stop(), 0)
    const names = ledger.ledger.search({ service: 'shop' }).events.map(({ meta }) => meta.event_name)
    assert.deepEqual(names.sort(), [
      'http.GET./%c0',
      'http.GET./broken',
      'http.POST./customers/:customer/orders',
      'order.placed',
    ])
  })

  test(`guide, Fastify ${major}: answered by us, and who it was`, async t => {
    const server = replaceOnce(service, 'await app.register(observe(box))\n', asked)
    const folder = await snippetFolder(t, workspace, { 'server.ts': server })
    const running = await startService(t, folder.runnable('server.ts'))
    const path = '/customers/7/orders'
    const headers = { 'x-user': 'u_7' }
    const wrong = await running.call('POST', path, { json: { amount: 'x' }, headers })
    const lines = (await running.linesOf(wrong)).filter(line => !('payload' in line))
    const { detail } = JSON.parse(wrong.body) as { detail: unknown }
    assert.deepEqual([wrong.status, lines[0]?.detail, lines[1]?.user], [422, detail, 'u_7'])
    assert.deepEqual(lines[0]?.detail, shown[0]?.detail)
    const broken = await running.call('GET', '/broken')
    assert.deepEqual([broken.status, broken.body], [500, 'Internal Server Error'])
    assert.match(broken.headers['content-type'] ?? '', /^text\/plain/)
  })

  test(`guide, Fastify ${major}: its own logger says nothing more about a request`, async t => {
    page.says('(all of 4, and older 5), it is `disableRequestLogging: true` beside `logger`')
    const controller = '  logController: new LogController({ disableRequestLogging: true }),\n'
    const older = replaceOnce(own, controller, '  disableRequestLogging: true,\n').replace(
      ', LogController',
      '',
    )
    const server = onFreePort(major === 5 ? own : older, '8081')
    const folder = await snippetFolder(t, workspace, { 'server.ts': server })
    const running = await startService(t, folder.runnable('server.ts'))
    const answer = await running.call('GET', '/')
    assert.equal(answer.body, '{"ok":true}')
    const ours = (await running.linesOf(answer)).map(line => line.message)
    assert.deepEqual(ours.slice(0, 2), ['by Deedbox', 'log request'])
    await running.stop()
    const theirs = running
      .stdout()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    const ofRequest = theirs.filter(line => line.reqId === answer.headers['x-request-id'])
    assert.deepEqual(
      ofRequest.map(line => line.msg),
      ['by Fastify'],
    )
    assert.equal(theirs.filter(line => 'reqId' in line).length, 1)
  })
}

for (const major of [5, 4]) {
  test(`DF-01 DF-11 guide, Fastify ${major}: health endpoints ahead of what asks who it is`, async t => {
    const healthy = onFreePort(page.fence('// healthy.ts'))
    const folder = await snippetFolder(t, `fastify-${major}`, { 'healthy.ts': healthy })
    await healthSection(t, folder.runnable('healthy.ts'), { path: '/', status: 401 })
  })
}

everyBlockIsTested(page)
