import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startTestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { root } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { startService } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const readme = new Page('README.md', '## In a service')
const started = new Page('docs/guide/getting-started.md', '## A service')
const packaged = new Page('packages/deedbox/README.md')

test('README: the service writes the lines that it shows, and its event reaches the ledger', async t => {
  const service = readme.fence("import express from 'express'")
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': onFreePort(service, '3000') })
  const ledger = await startTestServer(t)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
  const running = await startService(t, folder.runnable('app.ts'), { env })
  const shown = readme.shown('"message":"log request"')
  const agent = { 'user-agent': String(shown[1]?.user_agent) }
  const answer = await running.call('POST', '/checkout', { headers: agent })
  assert.deepEqual([answer.status, answer.body], [200, '{"ok":true}'])
  readme.says('here without `schema`, `protocol` and the time zone')
  assertShown(await running.linesOf(answer), shown, ['schema', 'protocol'])
  assert.equal(running.lines().length, 2)
  assert.deepEqual([running.rest(), running.stdout()], ['', ''])
  assert.equal(await running.stop(), 'SIGTERM')
  const [event] = ledger.ledger.search({ service: 'payments' }).events
  assert.deepEqual([event?.meta.event_name, event?.meta.type], ['payment.checkout.initiated', 'success'])
})

test('README: without a ledger the service runs all the same; what set() kept goes where it says', async t => {
  const service = readme.fence("import express from 'express'")
  const [choice = ''] = /`(log: \{ requestFields: .*? \})`/.exec(readme.text)?.slice(1) ?? []
  assert.notEqual(choice, '')
  const files = {
    'app.ts': onFreePort(service, '3000').replace(
      "service: 'payments' }",
      `service: 'payments', ${choice} }`,
    ),
  }
  const folder = await snippetFolder(t, 'express-5', files)
  const running = await startService(t, folder.runnable('app.ts'))
  const answer = await running.call('POST', '/checkout')
  const lines = await running.linesOf(answer)
  const request = lines.find(line => line.message === 'log request')
  assert.deepEqual([request?.user_id, request?.amount], ['u_42', 299.9])
  readme.says('its events become log lines')
  const said = await running.when(all => all.some(line => 'payload' in line))
  assert.equal(said.filter(line => line.event_name === 'payment.checkout.initiated').length, 1)
  assert.equal(said.filter(line => line.level === 'WARNING').length, 1)
})

test('getting started: the service that the page has you save', async t => {
  const service = started.fence("import express from 'express'")
  started.fence('npx node try.ts')
  started.fence("curl -s 'http://localhost:8000/v1/events?service=payments'")
  const folder = await snippetFolder(t, 'express-5', { 'try.ts': onFreePort(service) })
  const ledger = await startTestServer(t)
  const env = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: ledger.key }
  const running = await startService(t, folder.runnable('try.ts'), { env })
  const answer = await running.call('POST', '/checkout')
  started.says('The service writes two lines to standard error')
  await running.linesOf(answer)
  const messages = running.lines().map(({ message, request_id }) => [message, request_id])
  const id = answer.headers['x-request-id']
  assert.deepEqual(messages, [
    ['charging the card', id],
    ['log request', id],
  ])
  await running.stop()
  const found = await ledger.call('GET', '/v1/events?service=payments')
  assert.equal((found.json.events as unknown[]).length, 1)
})

test("the package's page: its snippet observes an application", async t => {
  const service = `${packaged.fence("import express from 'express'")}app.listen(0)\n`
  const folder = await snippetFolder(t, 'express-5', { 'app.ts': service })
  const running = await startService(t, folder.runnable('app.ts'))
  const answer = await running.call('GET', '/nowhere')
  const [request] = await running.linesOf(answer)
  assert.deepEqual([answer.status, request?.status_code], [404, 404])
})

test("the package's page names every entry of the package", () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'packages/deedbox/package.json'), 'utf8'))
  const entries = Object.keys(exports).map(path => path.replace('.', 'deedbox'))
  const named = [...packaged.text.matchAll(/^\| `(deedbox[^` ]*)` +\|/gm)].map(([, name]) => name)
  assert.deepEqual(named.sort(), entries.filter(name => name !== 'deedbox/package.json').sort())
})

for (const page of [readme, started, packaged]) everyBlockIsTested(page)
