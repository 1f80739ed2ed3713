import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/nest.md')
const service = onFreePort(page.fence("@Controller('checkout')"))
const served = page.fence('// right behind the line that makes the app above')
const asked = page.fence("unhandled: 'answer'")
const create = 'await NestFactory.create(AppModule)'
const [, onFastify = ''] =
  /`NestFactory\.(create\(AppModule, new FastifyAdapter\(\)\))`/.exec(page.text) ?? []

/** The service on one of Nest's platforms. */
function on(platform: string, text: string): string {
  if (platform === 'Express') return text
  return `import { FastifyAdapter } from '@nestjs/platform-fastify'\n${replaceOnce(text, 'create(AppModule)', onFastify)}`
}

for (const major of [12, 11]) {
  test(`guide, Nest ${major}: on both platforms a checkout, a wrong one, an exception, and the end`, async t => {
    const platforms = ['Express', 'Fastify']
    const made = `const app = observe(box)(${create})\n`
    const healthy = `import { check, warning } from 'deedbox/health'\nimport { health } from 'deedbox/nest'\n${replaceOnce(service, made, made + served)}`
    const answering = replaceOnce(service, `const app = observe(box)(${create})\n`, asked)
    const files = Object.fromEntries(
      platforms.flatMap(platform => [
        [`${platform}.ts`, on(platform, service)],
        [`${platform}-answering.ts`, on(platform, answering)],
        [`${platform}-healthy.ts`, on(platform, healthy)],
      ]),
    )
    const folder = await snippetFolder(t, `nest-${major}`, files, { decorators: true })
    for (const platform of platforms) {
      await t.test(`${platform}, where Nest answers`, t => leaving(t, folder.runnable(`${platform}.ts`)))
      await t.test(`${platform}, where we answer`, t =>
        answeringInPlace(t, folder.runnable(`${platform}-answering.ts`)),
      )
      await t.test(`DF-01 DF-11 ${platform}, health endpoints`, async t => {
        await healthSection(t, folder.runnable(`${platform}-healthy.ts`), { path: '/nowhere', status: 404 })
      })
    }
  })
}

async function leaving(t: TestContext, file: string): Promise<void> {
  const ledger = await startTestServer(t)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key, NO_COLOR: '1' }
  const running = await startService(t, file, { env })
  const paid = await running.call('POST', '/checkout', { json: { amount: '12' } })
  const id = paid.headers['x-request-id']
  assert.deepEqual([paid.status, JSON.parse(paid.body)], [201, { ok: true, request: id }])
  const [spoken, request] = await running.linesOf(paid)
  assert.deepEqual([spoken?.message, spoken?.amount, spoken?.token], ['checkout', 12, '[redacted]'])
  assert.equal(request?.route, '/checkout')
  const wrong = await running.call('POST', '/checkout', { json: { amount: 'x' } })
  assert.equal(wrong.status, 400)
  assert.match(String((await running.linesOf(wrong)).at(-1)?.exception), /numeric string is expected/)
  const dear = await running.call('POST', '/checkout', { json: { amount: '2000' } })
  assert.deepEqual([dear.status, JSON.parse(dear.body).message], [500, 'Internal server error'])
  const failure = (await running.linesOf(dear)).at(-1)
  assert.equal(failure?.message, 'Unhandled exception')
  assert.match(String(failure?.exception), /^Error: the card was declined/)
  assert.match(running.rest() + running.stdout(), /the card was declined/)
  assert.equal((await running.call('GET', '/nowhere')).status, 404)
  page.says('no error on the record')
  const nowhere = await running.when(lines => lines.some(line => line.path_with_query === '/nowhere'))
  assert(!('exception' in (nowhere.at(-1) ?? {})))
  page.says('then what waits is delivered, for up to five seconds, and the process ends')
  assert.equal(await running.stop(), 'SIGTERM')
  const kinds = ledger.ledger
    .search({ service: 'shop' })
    .events.map(({ meta }) => `${meta.event_name} ${meta.type}`)
  assert.deepEqual(kinds.sort(), [
    'http.GET./nowhere error',
    'http.POST./checkout error',
    'payment.checkout.initiated error',
    'payment.checkout.initiated success',
  ])
}

async function answeringInPlace(t: TestContext, file: string): Promise<void> {
  const running = await startService(t, file, { env: { NO_COLOR: '1' } })
  const dear = await running.call('POST', '/checkout', { json: { amount: '2000' } })
  assert.deepEqual([dear.status, dear.body], [500, 'Internal Server Error'])
  assert.match(dear.headers['content-type'] ?? '', /^text\/plain/)
  await running.linesOf(dear)
  const wrong = await running.call('POST', '/checkout', { json: { amount: 'x' } })
  page.says('An `HttpException` that is no validation error stays Nest')
  assert.equal(wrong.status, 400)
  await running.stop()
  assert.doesNotMatch(running.rest() + running.stdout(), /the card was declined/)
}

everyBlockIsTested(page)
