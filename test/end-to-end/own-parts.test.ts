import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type Deedbox, deedbox } from 'deedbox'
import { sqlite } from 'deedbox/chests'
import { health } from 'deedbox/http'
import { openTestLedger } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { tempFolder } from './ledger-process.ts'

/** Serves the heartbeat of an instance, and gives what it shows of its checks. */
async function heartbeatOf(t: TestContext, box: Deedbox) {
  const endpoints = health(box, { details: 'always', cache: 0 })
  const server = createServer(endpoints((_request, response) => response.end())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async (): Promise<{
    checks: Record<string, string>
    details: Record<string, { messages: object }>
  }> => {
    assert.equal((await fetch(`${url}/__readiness__`)).status, 200)
    return JSON.parse(await (await fetch(`${url}/__heartbeat__`)).text())
  }
}

async function until<Value>(ask: () => Promise<Value>, fits: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await ask()
    if (fits(value)) return value
  }
}

test('gap 12 a ledger in this process that is closed: the heartbeat says so, and the service is ready', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const box = deedbox({
    service: 'shop',
    ledger,
    log: { sink: () => undefined },
    audit: { spool: { folder: join(folder, 'spool') } },
  })
  t.after(() => box.close(100))
  const heartbeat = await heartbeatOf(t, box)
  await box.send('order.placed', { order: 1 })
  assert.deepEqual((await heartbeat()).checks, { check_outbox: 'ok', check_ledger: 'ok', check_log: 'ok' })
  await ledger.close()
  box.run({ name: 'job' }, () => box.event('order.shipped'))
  const { details } = await until(heartbeat, ({ checks }) => checks.check_ledger !== 'ok')
  assert.match(
    JSON.stringify(details.check_ledger?.messages),
    /"deedbox\.ledger\.W002":"The ledger has taken no event/,
  )
})

test('gap 12 a SQLite chest whose file is another program’s, until it is not', async t => {
  const file = join(tempFolder(t), 'vars.db')
  const box = deedbox({
    service: 'shop',
    ledger: null,
    log: { sink: () => undefined },
    chests: [sqlite(file)],
  })
  t.after(() => box.close(100))
  const heartbeat = await heartbeatOf(t, box)
  const name = 'check_chest_sqlite'
  box.run({ name: 'job' }, () => box.set({ user: 'u' }))
  assert.equal(await box.flush(), true)
  assert.equal((await heartbeat()).checks[name], 'ok')
  const other = new DatabaseSync(file)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const { checks, details } = await heartbeat()
  assert.equal(checks[name], 'error')
  assert.match(JSON.stringify(details[name]?.messages), /"deedbox\.chest\.unreachable":"[^"]*locked/)
  other.exec('ROLLBACK')
  assert.equal((await heartbeat()).checks[name], 'ok')
})
