import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startTestServer, type TestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { type RunningService, type ServiceSettings, startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/serving.md')
const files = {
  'server.ts': page.fence('// server.ts'),
  'cluster.ts': page.fence('// cluster.ts'),
  'files.ts': page.fence('// files.ts'),
}
const listening = page.shown('"message":"listening"')
const timeline = page.fence('ended by the signal')

async function start(t: TestContext, name: string, settings: ServiceSettings = {}): Promise<RunningService> {
  const folder = await snippetFolder(t, 'express-5', files)
  mkdirSync(join(folder.path, 'dist', 'assets'), { recursive: true })
  writeFileSync(join(folder.path, 'dist', 'index.html'), '<h1>shop</h1>')
  writeFileSync(join(folder.path, 'dist', 'assets', 'index-BkX3v9Qd.js'), 'shop()')
  writeFileSync(join(folder.path, 'dist', 'assets', 'Inter-SemiBold.woff2'), 'font')
  return startService(t, folder.runnable(name), { ...settings, env: { PORT: '0', ...settings.env } })
}

const toLedger = ({ url, key }: TestServer): Record<string, string> => ({
  DEEDBOX_URL: url,
  DEEDBOX_API_KEY: key,
})

/** The status of a path, or `refused`. */
const state = async (service: RunningService, path: string): Promise<string> => {
  try {
    return String((await service.call('GET', path)).status)
  } catch {
    return 'refused'
  }
}

test('guide, serving: DF-55 DF-56 gap 17 ruling 28 a service listens, serves, and drains as the drawing has it', async t => {
  const ledger = await startTestServer(t)
  const env = { ...toLedger(ledger), DEEDBOX_DRAIN_DELAY: '2s' }
  const running = await start(t, 'server.ts', { env })
  const lines = await running.when(all => all.some(({ message }) => message === 'listening'))
  assertShown(
    lines.filter(({ message }) => message === 'listening').map(line => ({ ...line, host: '::' })),
    listening.map(line => ({ ...line, port: running.port, url: `http://localhost:${running.port}` })),
    ['timestamp'],
  )
  assert.equal((await running.call('GET', '/')).body, '<h1>shop</h1>')
  const script = await running.call('GET', '/assets/index-BkX3v9Qd.js')
  assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable')
  page.says('`public, max-age=31536000, immutable`')
  assert.equal((await running.call('GET', '/orders/42')).status, 200)

  const rows = [...timeline.matchAll(/│ (\d+) +│ (\w+) +(\/\w+)/g)].map(([, ...cells]) => cells)
  assert.equal(rows.length, 3)
  process.kill(running.pid, 'SIGTERM')
  await running.when(all => all.some(({ message }) => message === 'draining'))
  for (const [draining, , path = ''] of rows) assert.equal(await state(running, path), draining)
  assert.equal((await running.call('GET', '/orders/43')).status, 200)
  while ((await state(running, '/__lbheartbeat__')) !== 'refused');
  for (const [, closed, path = ''] of rows) assert.equal(await state(running, path), closed)
  assert.equal(await running.ended, 'SIGTERM')
  assert.deepEqual((await ordersOf(ledger)).sort(), ['/orders/42', '/orders/43'])
})

test('guide, serving: ruling 30 sample 86 four workers on one port, with logs, events and health of their own', async t => {
  const ledger = await startTestServer(t)
  const running = await start(t, 'cluster.ts', { env: { ...toLedger(ledger), WEB_CONCURRENCY: '4' } })
  const four = await running.when(all => all.filter(({ message }) => message === 'listening').length === 4)
  assert.equal(new Set(four.filter(({ port }) => port === running.port)).size, 4)
  const processes = new Set<number>()
  const ids: string[] = []
  for (let i = 0; i < 40; i++) {
    const answer = await running.call('GET', `/orders/${i}`)
    processes.add(JSON.parse(answer.body).process)
    ids.push(answer.headers['x-request-id'] ?? '')
    assert.deepEqual(
      [await state(running, '/__heartbeat__'), await state(running, '/__readiness__')],
      ['200', '200'],
    )
  }
  assert.deepEqual([processes.size, processes.has(running.pid)], [4, false])
  process.kill(running.pid, 'SIGTERM')
  assert.equal(await running.ended, 0)
  const lines = running.lines().filter(line => /^\/orders/.test(String(line.path_with_query)))
  assert.deepEqual(lines.map(({ request_id }) => request_id).sort(), ids.sort())
  assert.equal(running.lines().filter(({ message }) => message === 'draining').length, 4)
  assert.equal((await ordersOf(ledger)).length, 40)
})

test('guide, serving: DF-56 files around a handler of node:http', async t => {
  const running = await start(t, 'files.ts')
  const kept = await running.call('GET', '/static/assets/Inter-SemiBold.woff2')
  assert.deepEqual(
    [kept.headers['cache-control'], kept.headers['access-control-allow-origin']],
    ['public, max-age=31536000, immutable', '*'],
  )
  const orders = await running.call('GET', '/static/orders', { headers: { accept: 'text/html' } })
  assert.equal(orders.body, '<h1>shop</h1>')
  assert.equal((await running.call('GET', '/orders')).body, 'from the service')
  assert.equal(await running.stop(), 'SIGTERM')
})

/** The paths that have an event in the ledger, without those of health endpoints that failed. */
async function ordersOf(ledger: TestServer): Promise<string[]> {
  const { events } = (await ledger.call('GET', '/v1/events?limit=200')).json as {
    events: { payload: string }[]
  }
  const paths = events.map(({ payload }): string => JSON.parse(payload).request?.path ?? '')
  return paths.filter(path => path !== '' && !path.startsWith('/__'))
}

everyBlockIsTested(page)
