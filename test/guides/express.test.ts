import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { type SnippetFolder, snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/express.md')
const instance = "export const box = deedbox({ service: 'shop' })\n"
const service = onFreePort(page.fence('app.use(observe(box))\napp.use(express.json())'))
const charge = page.fence('// charge.ts')

/** The page's files, with one service of several forms. `@types/express` is for Express 5. */
const compile = (t: Parameters<typeof snippetFolder>[0], server: string): Promise<SnippetFolder> =>
  snippetFolder(t, 'express-5', { 'server.ts': server, 'charge.ts': charge })

test('guide, Express: a request leaves its lines, its event and two headers; send, a job and SIGTERM', async t => {
  const server =
    service + page.fence('box.send(') + page.fence('box.run(') + page.fence("process.once('SIGTERM'")
  const folder = await compile(t, server)
  const ledger = await startTestServer(t)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
  const running = await startService(t, folder.runnable('server.ts'), { env })

  page.says('One line `job completed`')
  const [sending, job] = await running.when(lines => lines.length >= 2)
  assert.deepEqual([sending?.message, sending?.request_id], ['sending the report', job?.request_id])
  assert.deepEqual([job?.message, job?.job], ['job completed', 'nightly-report'])

  const paid = await running.call('POST', '/checkout', { json: { amount: 12 } })
  const id = paid.headers['x-request-id']
  assert.deepEqual([paid.status, JSON.parse(paid.body)], [200, { ok: true, request: id }])
  assert.match(paid.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
  const [checkout, charging, request] = await running.linesOf(paid)
  assert.deepEqual([checkout?.message, checkout?.token], ['checkout', '[redacted]'])
  assert.match(String(checkout?.source), /^server\.ts:<anonymous>:15$/)
  assert.deepEqual([charging?.message, charging?.attempt], ['charging the card', 1])
  assert.match(String(charging?.source), /^charge\.ts:charge:6$/)
  assert.deepEqual([request?.level, request?.status_code, request?.route], ['INFO', 200, '/checkout'])
  const [, named = ''] = /one JSON object: ([^.]*)\./.exec(page.text) ?? []
  const members = [...named.matchAll(/`([a-z_]+)`/g)]
    .map(([, name]) => name)
    .filter(name => name !== 'exception')
  const heads = ['timestamp', 'level', 'message']
  assert.deepEqual(
    Object.keys(request ?? {}).sort(),
    [...heads, ...members].sort(),
    'the page names the members of the line',
  )

  page.says(
    'where no route took the request, as with files, scanners and what a middleware answers, the path itself',
  )
  const trusted = await running.call('GET', '/nowhere', { headers: { 'x-request-id': 'mine' } })
  assert.deepEqual([trusted.status, trusted.headers['x-request-id']], [404, 'mine'])
  const malformed = await running.call('POST', '/checkout', { body: '{' })
  assert.equal(malformed.status, 400)
  const [failed] = await running.linesOf(malformed)
  assert.match(String(failed?.exception), /^SyntaxError/)

  const refunded = await running.call('POST', '/refund')
  const { txId, index } = JSON.parse(refunded.body) as { txId: string; index: number }
  const stored = (await ledger.call('GET', `/v1/events/${txId}`)).json
  assert.equal((stored.meta as { event_name: string }).event_name, 'payment.refunded')
  assert.equal(typeof index, 'number')

  assert.equal(await running.stop(), 0)
  const { events } = ledger.ledger.search({ service: 'shop' })
  const kinds = events.map(({ meta }) => `${meta.event_name} ${meta.type}`).sort()
  assert.deepEqual(kinds, [
    'http.GET./nowhere error',
    'http.POST./checkout error',
    'http.POST./refund success',
    'payment.checkout.initiated success',
    'payment.refunded success',
    'report.nightly.done info',
  ])
})

test('guide, Express: what is redacted, what is chosen', async t => {
  const probe = `
app.get(['/healthz', '/assets/a.css'], (_req, res) => void res.end())
app.get('/probe', (_req, res) => {
  box.log.info('to DE12345678901234567890', { iban: 'x', customer: { email: 'y' }, sid: 'kept', password: 'z' })
  res.end()
})
`
  const redacting = await compile(t, replaceOnce(service, instance, page.fence('redact: {')) + probe)
  const first = await startService(t, redacting.runnable('server.ts'))
  const [said] = await first.linesOf(await first.call('GET', '/probe'))
  const gone = '[redacted]'
  assert.equal(said?.message, `to ${gone}`)
  const { iban, customer, sid, password } = said ?? {}
  assert.deepEqual([iban, customer, sid, password], [gone, { email: gone }, 'kept', gone])

  const choosing = await compile(t, replaceOnce(service, instance, page.fence('requestFields:')) + probe)
  const second = await startService(t, choosing.runnable('server.ts'))
  const forwarded = { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' }
  const paid = await second.call('POST', '/checkout', { json: { amount: 12 }, headers: forwarded })
  const request = (await second.linesOf(paid)).find(line => line.message === 'log request')
  assert.deepEqual([request?.user_id, request?.amount, request?.remote_ip], ['u_42', 12, '203.0.113.9'])
  for (const path of ['/healthz', '/assets/a.css']) await second.call('GET', path)
  const nowhere = await second.call('GET', '/nowhere')
  const lines = await second.when(all => all.some(line => line.event_name === 'http.GET./nowhere'))
  const audited = lines.filter(
    line => line.request_id === nowhere.headers['x-request-id'] && 'payload' in line,
  )
  assert.deepEqual(
    audited.map(line => (line.payload as { kind: string }).kind),
    ['info'],
  )
  assert(!lines.some(line => /health|assets/.test(String(line.path_with_query))))
})

for (const major of [5, 4]) {
  test(`guide, Express ${major}: validation errors and exceptions, answered by us`, async t => {
    const routes = page.fence('order.parse(req.body)')
    const server =
      replaceOnce(
        service,
        'app.use(observe(box))\n',
        page.fence("app.use(observe(box, { unhandled: 'answer'"),
      ) +
      routes +
      "app.get('/broken', async () => {\n  throw new Error('the shop is closed')\n})\n"
    const imports = /; with: (import .*)$/m.exec(routes)?.[1]
    const files = { 'server.ts': `${imports}\n${server}`, 'charge.ts': charge }
    if (major === 4) await snippetFolder(t, 'express-5', files)
    const folder = await snippetFolder(t, `express-${major}`, files, { typed: major === 5 })
    const running = await startService(t, folder.runnable('server.ts'), {
      env: { DEEDBOX_LOG_LEVEL: 'INFO' },
    })
    const wrong = await running.call('POST', '/orders', {
      json: { amount: 'x' },
      headers: { 'x-user': 'u_7' },
    })
    const { detail } = JSON.parse(wrong.body) as { detail: unknown }
    const [told, request] = await running.linesOf(wrong)
    assert.deepEqual(
      [wrong.status, told?.message, told?.detail],
      [422, 'request validation exception', detail],
    )
    assert.deepEqual([request?.status_code, request?.user], [422, 'u_7'])
    const broken = await running.call('GET', '/broken')
    assert.deepEqual([broken.status, broken.body], [500, 'Internal Server Error'])
    assert.match(broken.headers['content-type'] ?? '', /^text\/plain/)
    const [line, ...more] = (await running.linesOf(broken)).filter(each => !('payload' in each))
    assert.deepEqual([line?.message, more], ['Unhandled exception', []])
    assert.match(String(line?.exception), /^Error: the shop is closed/)
    assert.equal((await running.call('POST', '/orders', { body: '{' })).status, 400)
    assert.equal(await running.stop(), 'SIGTERM')
    page.says('and Express prints nothing')
    assert.doesNotMatch(running.rest() + running.stdout(), /the shop is closed/)
  })
}

for (const major of [5, 4]) {
  test(`DF-01 DF-11 guide, Express ${major}: health endpoints ahead of what asks who it is`, async t => {
    const healthy = onFreePort(page.fence('// healthy.ts'))
    const folder = await snippetFolder(
      t,
      `express-${major}`,
      { 'healthy.ts': healthy },
      { typed: major === 5 },
    )
    await healthSection(t, folder.runnable('healthy.ts'), { path: '/', status: 401 })
  })
}

everyBlockIsTested(page)
