import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { aLedger } from '../../packages/deedbox/src/testing/ledger-events.ts'
import { keepAll, until } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/audit-modes.md')
const server = page.fence('// server.ts')
const head = page.fence('HTTP/1.1 503')
const body = page.fence('"ok":false').trimEnd()
const dryRun = page.fence('// dry-run.ts')
const lines = page.shown('"dry_run":true')

/** Without what differs each time. */
function plain(answer: string): string {
  return answer
    .replace(/(X-Processed-Time: |Date: )[^\n]+/g, '$1…')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
}

test('X-11 IF-33 guide, modes: routes that are closed answer 503 while the ledger is away, the others answer', async t => {
  const ledger = await aLedger(t, () => 'cut')
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': onFreePort(server) })
  const running = await startService(t, folder.runnable('server.ts'), {
    env: { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: 'key' },
  })
  const socket = connect(running.port, '127.0.0.1')
  socket.write('POST /transfers/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  const [shownHead = '', shownBody = ''] = (await text(socket)).replaceAll('\r\n', '\n').split('\n\n')
  assert.equal(plain(shownHead.replace('\nConnection: close', '')), plain(head.trimEnd()))
  assert.equal(plain(shownBody), plain(body))
  const answered = new Map<string, string>([
    [shownBody.match(/"request_id":"([^"]+)"/)?.[1] ?? '', '503 POST /transfers/:id'],
  ])
  const ask = async (method: string, path: string, route = path): Promise<number> => {
    const { status, headers } = await running.call(method, path)
    answered.set(String(headers['x-request-id']), `${status} ${method} ${route}`)
    return status
  }
  assert.equal(await ask('GET', '/accounts/1', '/accounts/:id'), 200)
  assert.equal((await running.call('GET', '/rates')).status, 200)
  assert.equal(await ask('POST', '/payments?amount=5', '/payments'), 200)
  assert.equal(await ask('POST', '/payments?amount=5000', '/payments'), 503)
  ledger.follow(keepAll)
  page.says('with the next attempt')
  while ((await ask('POST', '/transfers/7', '/transfers/:id')) === 503);
  const told = (): string[] =>
    [...ledger.stored.values()].map(({ payload, meta }) => {
      const { status_code } = JSON.parse(payload).metrics
      return `${meta.request_id} ${status_code} ${String(meta.event_name).replace(/^http\.(\w+)\./, '$1 ')}`
    })
  page.says('under the same `request_id`, tells what the client got')
  await until(() => [...answered].every(([id, answer]) => told().includes(`${id} ${answer}`)))
  page.says('the ledger may hold it all the same')
  const mayBe = [...answered].flatMap(([id, answer]) => [
    `${id} ${answer}`,
    `${id} ${answer.replace('503', '200')}`,
  ])
  const expected = new Set(mayBe)
  assert.deepEqual(
    told().filter(event => !expected.delete(event)),
    [],
  )
})

test('X-11 guide, modes: a dry run', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'dry-run.ts': dryRun })
  const { stderr, code } = await run(process.execPath, [folder.runnable('dry-run.ts')], {
    env: cleanEnv({ DEEDBOX_URL: 'http://127.0.0.1:1', DEEDBOX_API_KEY: 'key' }),
  })
  assert.equal(code, 0, stderr)
  const printed = stderr
    .trimEnd()
    .split('\n')
    .map(line => ({ ...JSON.parse(line), timestamp: 0, source: 0 }))
  assert.deepEqual(
    printed,
    lines.map(line => ({ ...line, timestamp: 0, source: 0 })),
  )
})

everyBlockIsTested(page)
