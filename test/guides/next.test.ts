import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { asksHealth } from './health-section.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/next.md')
const whole = page.fence("instrument({ service: 'shop' })")
const healthy = page.fence('{ health: { checks: [queue]')
const route = page.fence('// app/orders/[id]/route.ts')
const shown = page
  .fence('$ curl -H')
  .split('\n')
  .filter(line => line.startsWith('{'))
  .map(line => JSON.parse(line))
const forms = {
  'identified/instrumentation.ts': page.fence("request.headers['x-user']"),
  'own/instrumentation.ts': page.fence("observe(deedbox({ service: 'shop', skipPaths: nextSkipPaths }))"),
  'healthy/instrumentation.ts': healthy,
  'checked/instrumentation.ts': page.fence("check('memory'"),
}
const layout = `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>
}
`

for (const major of [16, 15]) {
  test(`guide, Next ${major}: the page's files compile`, async t => {
    await snippetFolder(t, `next-${major}`, {
      'package.json': '{"private":true,"type":"module"}',
      'instrumentation.ts': whole,
      'app/orders/[id]/route.ts': route,
      ...forms,
    })
  })
}

// One build, of the newer major; test/frameworks runs both majors, with what the other forms say.
test('DF-01 DF-11 guide, Next 16: built and started, an order, the lines that the page shows, health endpoints, and the end', async t => {
  const folder = await snippetFolder(
    t,
    'next-16',
    {
      'package.json': '{"private":true,"type":"module"}',
      // The first one of the page, and more.
      'instrumentation.ts': healthy,
      // Where it finds TypeScript in `app`, Next installs types of React, over the network.
      'app/orders/[id]/route.js': stripTypeScriptTypes(route),
      'app/layout.jsx': layout,
    },
    { typed: false },
  )
  const command = createRequire(join(folder.path, 'package.json')).resolve('next/dist/bin/next')
  const quiet = { NEXT_TELEMETRY_DISABLED: '1' }
  await promisify(execFile)(process.execPath, [command, 'build'], { cwd: folder.path, env: cleanEnv(quiet) })
  const ledger = await startTestServer(t)
  const running = await startService(t, command, {
    args: ['start', '--port', '0'],
    cwd: folder.path,
    env: {
      ...quiet,
      DEEDBOX_URL: ledger.url,
      DEEDBOX_API_KEY: ledger.key,
      NEXT_MANUAL_SIG_HANDLE: '1',
      DEEDBOX_HEALTH_TOKEN: 'token-of-the-page',
    },
  })
  let found = await running.call('GET', '/orders/7')
  // As the page says, a readiness probe looks for the header.
  for (let tries = 0; tries < 200 && found.headers['x-request-id'] === undefined; tries++)
    found = await running.call('GET', '/orders/7')
  assert.equal(found.status, 200, running.rest())
  assert.deepEqual(JSON.parse(found.body), { id: '7', request: found.headers['x-request-id'] })
  const headers = { 'x-request-id': 'r-0', 'user-agent': String(shown[1]?.user_agent) }
  const failed = await running.call('GET', '/orders/0', { headers })
  assert.equal(failed.status, 500)
  assertShown(await running.linesOf(failed), shown, [])
  await asksHealth(running)
  page.says('Next prints each error itself as well')
  assert.match(running.rest(), /no such order/)
  page.says('and the process ends by the signal')
  assert.equal(await running.stop(), 'SIGTERM')
  const { events } = ledger.ledger.search({ service: 'shop' })
  const kinds = new Set(events.map(({ meta }) => `${meta.event_name} ${meta.type}`))
  assert.deepEqual(
    kinds,
    new Set(['order.viewed success', 'order.viewed error', 'http.GET./__error__ error']),
  )
})

everyBlockIsTested(page)
