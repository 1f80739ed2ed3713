import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { healthSection } from './health-section.ts'
import { everyBlockIsTested, onFreePort, Page, replaceOnce } from './page.ts'
import { startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/node-http.md')
const service = onFreePort(page.fence("hello[1] === 'nobody'"))

test('guide, node:http: the route that it is told, the error that is caught, the error that is not', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': service })
  const ledger = await startTestServer(t)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
  const running = await startService(t, folder.runnable('server.ts'), { env })
  const seen: unknown[] = []
  for (const path of ['/hello/ada', '/hello/stranger', '/hello/nobody', '/elsewhere']) {
    const answer = await running.call('GET', path)
    const lines = await running.linesOf(answer)
    const { route, status_code, exception = '' } = lines.at(-1) ?? {}
    seen.push([lines.length, status_code, route, answer.body, String(exception).split('\n')[0]])
    assert.equal(answer.status, status_code)
  }
  assert.deepEqual(seen, [
    [1, 200, '/hello/:name', 'hello, ada\n', ''],
    [1, 500, '/hello/:name', 'sorry\n', 'Error: strangers are not greeted'],
    [1, 500, '/hello/:name', 'Internal Server Error', 'Error: nobody is not greeted'],
    [1, 404, undefined, '', ''],
  ])
  assert.equal(running.rest(), '')
  page.says('the process lives on')
  assert.equal(await running.stop(), 'SIGTERM')
  const names = ledger.ledger.search({ service: 'greeter' }).events.map(({ meta }) => meta.event_name)
  page.says('events are named after the concrete path unless `box.event()` names them')
  assert.deepEqual(names.sort(), [
    'greeting.given',
    'greeting.given',
    'greeting.given',
    'http.GET./elsewhere',
  ])
})

test("guide, node:http: without unhandled: 'answer' an exception reaches the process, with its record", async t => {
  const left = replaceOnce(service, "observe(box, { unhandled: 'answer' })", 'observe(box)')
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': left })
  const running = await startService(t, folder.runnable('server.ts'))
  await assert.rejects(running.call('GET', '/hello/nobody'))
  assert.equal(await running.stop(), 1)
  const failures = running.lines().filter(line => line.message === 'Unhandled exception')
  assert.deepEqual(
    failures.map(({ path_with_query, status_code }) => [path_with_query, status_code]),
    [['/hello/nobody', 500]],
  )
  assert.match(running.rest(), /nobody is not greeted/)
})

test('DF-01 DF-11 guide, node:http: health endpoints ahead of what asks who it is', async t => {
  const healthy = onFreePort(page.fence('// healthy.ts'))
  const folder = await snippetFolder(t, 'express-5', { 'healthy.ts': healthy })
  await healthSection(t, folder.runnable('healthy.ts'), { path: '/', status: 401 })
})

everyBlockIsTested(page)
