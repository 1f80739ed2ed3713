import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigurationError, type Deedbox, SendError } from 'deedbox'
import { OutboxError, type OutboxOptions } from 'deedbox/outbox'
import { aBox, aLedger, type Lines, noticesOf } from '../../packages/deedbox/src/testing/ledger-events.ts'
import {
  keepAll,
  type LedgerStandIn,
  type Script,
  until,
} from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { answering, barring } from './answers.ts'
import type { Opened, Reach } from './database.ts'
import { databaseAt } from './databases.ts'

let tables = 0

interface Service extends Opened {
  readonly box: Deedbox
  readonly lines: Lines
}

/** Every test of an outbox, on one kind of database. */
export function outboxSuite(name: string, skip: string | false, reach: () => Reach): void {
  const it = (title: string, run: (t: TestContext) => Promise<void>): void => {
    test(`outbox, ${name}: ${title}`, { skip }, run)
  }

  /** A service with an outbox that quickly tries again. */
  const aService = async (t: TestContext, url: string, options: OutboxOptions = {}): Promise<Service> => {
    const { box, lines } = aBox(t, {
      ledger: { url, apiKey: 'deed_test_key' },
      audit: { backoff: { base: 5, cap: 20 } },
    })
    const opened = await databaseAt(reach()).open(box, { interval: 20, ...options })
    t.after(async () => {
      await opened.outbox.stop(0)
      await opened.close()
    })
    return { ...opened, box, lines }
  }

  const aTable = (): string => `outbox_${++tables}`

  const written = async (service: Opened, how: 'COMMIT' | 'ROLLBACK', ...names: string[]): Promise<void> => {
    const session = await service.begin()
    for (const name of names) await session.write(name, { text: 'naïve 日本 🦊' }, { idempotencyKey: name })
    await session.end(how)
  }

  const aProcess = (t: TestContext, table: string, url: string, deed: 'write' | 'relay') => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@deedbox/source',
        join(import.meta.dirname, 'outbox-process.ts'),
        ...[JSON.stringify(reach()), table, url, deed],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    t.after(() => child.kill('SIGKILL'))
    return child
  }

  it('what was committed arrives, to the byte, and its row goes; what was rolled back never was', async t => {
    const ledger = await aLedger(t, keepAll)
    const service = await aService(t, ledger.url, { table: aTable() })
    await service.outbox.migrate()
    await service.outbox.migrate()
    await written(service, 'ROLLBACK', 'undone')
    const session = await service.begin()
    const payload = '{"b":1,"a":"naïve 日本 🦊 \\u0000 \' \\" ` \\\\ $1 ?"}'
    const key = await session.write('order.placed', payload, {
      kind: 'success',
      meta: { subject: '客-9 🦊' },
    })
    const other = await session.writeThrough('order.paid', { amount: 5 })
    if (databaseAt(reach()).sharesConnection)
      await assert.rejects(service.outbox.runOnce(), { name: 'OutboxError', code: 'in_transaction' })
    else assert.equal(await service.outbox.runOnce(), 0)
    await session.end('COMMIT')
    assert.deepEqual(await service.outbox.backlog(), { waiting: 2, refused: 0 })
    assert.equal(ledger.calls.length, 0)
    assert.equal(await service.outbox.runOnce(), 2)
    assert.deepEqual([...ledger.stored.keys()], [key, other])
    const [first] = ledger.stored.values()
    assert.equal(first?.payload, payload)
    assert.equal(first?.meta.subject, '客-9 🦊')
    assert.deepEqual([first?.meta.type, first?.meta.event_name], ['success', 'order.placed'])
    assert.deepEqual(await service.rows(), [])
    assert.deepEqual(service.outbox.stats(), {
      written: 3,
      relayed: 2,
      refused: 0,
      failed: 0,
      blocked: databaseAt(reach()).sharesConnection ? 1 : 0,
      running: false,
    })
  })

  it('secrets are blanked before they reach the table, and the event is one of the request', async t => {
    const service = await aService(t, 'http://127.0.0.1:1', { table: aTable() })
    await service.outbox.migrate()
    const session = await service.begin()
    await service.box.run({ name: 'job', requestId: 'r-1' }, async () => {
      await session.write('user.added', { password: 'hunter2-secret', id: service.box.requestId })
    })
    await session.end('COMMIT')
    const [row] = await service.rows()
    assert(!row?.payload.includes('hunter2'), row?.payload)
    assert.equal(JSON.parse(row?.payload ?? '').id, 'r-1')
  })

  it('each misuse has its code, and the transaction goes on', async t => {
    const service = await aService(t, 'http://127.0.0.1:1', { table: aTable() })
    const failed = (code: string) => (error: unknown) =>
      (error instanceof OutboxError || error instanceof SendError) && error.code === code
    const early = await service.begin()
    await assert.rejects(early.write('e', {}), failed('table_missing'))
    await early.end('ROLLBACK')
    await service.outbox.migrate()
    await assert.rejects(service.writeOutside('e', {}), failed('no_transaction'))
    await assert.rejects(service.writeWrongly(), failed('not_a_connection'))
    const session = await service.begin()
    await assert.rejects(session.write('e', { big: 'x'.repeat(1_000_000) }), failed('payload_too_large'))
    await assert.rejects(session.write('', {}), failed('invalid_event'))
    await assert.rejects(session.write('e', 'a\0b'), failed('invalid_event'))
    await session.work()
    await session.write('e', { big: '🦊'.repeat(16_000) })
    await session.end('COMMIT')
    assert.equal((await service.rows()).length, 1)
    assert.throws(() => databaseAt(reach()).openWrongly(service.box), ConfigurationError)
    for (const bad of [{ table: '' }, { table: 'x'.repeat(64) }, { interval: 0 }, { batch: 1.5 }])
      await assert.rejects(databaseAt(reach()).open(service.box, bad), ConfigurationError)
  })

  it('a table of any name', async t => {
    const ledger = await aLedger(t, keepAll)
    const table = `odd "name" \`with\`; DROP TABLE 'ä' -- ${aTable()}`
    const service = await aService(t, ledger.url, { table })
    await service.outbox.start()
    await written(service, 'COMMIT', 'e')
    await until(() => service.outbox.relayed === 1)
    assert.deepEqual(await service.rows(), [])
  })

  it('many writers at once, started before the table was there: committed ones arrive', async t => {
    const ledger = await aLedger(t, keepAll)
    const table = aTable()
    const services = await Promise.all([1, 2, 3].map(() => aService(t, ledger.url, { table })))
    await Promise.all(services.map(({ outbox }) => outbox.start()))
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        written(services[i % 3]!, i % 2 === 0 ? 'COMMIT' : 'ROLLBACK', `e${i}`),
      ),
    )
    await until(() => ledger.stored.size === 15)
    for (const { outbox } of services) await outbox.stop()
    const [service] = services
    await service?.outbox.runOnce()
    assert.deepEqual(await service?.rows(), [])
    assert.deepEqual(
      [...ledger.stored.keys()].sort(),
      Array.from({ length: 15 }, (_, i) => `e${2 * i}`).sort(),
    )
  })

  it('IP-08 a process dies between its commit and the relay: the event arrives', async t => {
    const ledger = await aLedger(t, keepAll)
    const table = aTable()
    const service = await aService(t, ledger.url, { table })
    await service.outbox.migrate()
    const writer = aProcess(t, table, ledger.url, 'write')
    await once(writer.stdout, 'data')
    writer.kill('SIGKILL')
    await once(writer, 'exit')
    assert.equal(ledger.calls.length, 0)
    assert.equal(await service.outbox.runOnce(), 1)
    assert.deepEqual([...ledger.stored.keys()], ['o-1'])
  })

  it('IP-08 a relay is killed after the ledger stored and before the row went: once', async t => {
    const keepSilently: Script = (call, _nth, ledger) => {
      ledger.keep(call)
      return 'never'
    }
    const ledger = await aLedger(t, keepSilently)
    const table = aTable()
    const service = await aService(t, ledger.url, { table })
    await service.outbox.migrate()
    await written(service, 'COMMIT', 'a', 'b')
    const relay = aProcess(t, table, ledger.url, 'relay')
    await until(() => ledger.stored.size === 2)
    relay.kill('SIGKILL')
    await once(relay, 'exit')
    assert.equal((await service.rows()).length, 2)
    ledger.follow(keepAll)
    await service.outbox.start()
    await until(() => service.outbox.relayed === 2)
    const [first, again] = ledger.calls
    assert.equal(again?.body, first?.body)
    assert.equal(ledger.stored.size, 2)
    assert.equal(service.box.stats().audit.duplicate, 2)
    assert.deepEqual(await service.rows(), [])
  })

  it('two relays side by side: each event once, each relay in order', async t => {
    const table = aTable()
    // With a ledger of its own for each relay the order of each can be seen.
    const ledgers = [await aLedger(t, keepAll), await aLedger(t, keepAll)]
    const relays = await Promise.all(ledgers.map(({ url }) => aService(t, url, { table, batch: 7 })))
    const [writer] = relays
    await writer?.outbox.migrate()
    const names = Array.from({ length: 150 }, (_, i) => `e${String(i).padStart(3, '0')}`)
    await written(writer!, 'COMMIT', ...names)
    await Promise.all(relays.map(({ outbox }) => outbox.start()))
    const keys = (): string[] => ledgers.flatMap(({ stored }) => [...stored.keys()])
    await until(() => new Set(keys()).size === names.length)
    for (const { outbox } of relays) await outbox.stop()
    assert.deepEqual(await writer?.rows(), [])
    for (const { stored } of ledgers) assert.deepEqual([...stored.keys()], [...stored.keys()].sort())
    if (!databaseAt(reach()).locksRows) return
    assert.deepEqual(
      relays.map(({ outbox }) => outbox.stats().failed),
      [0, 0],
    )
    assert.deepEqual(keys().sort(), names)
    assert(ledgers.every(({ stored }) => stored.size > 0))
  })

  it('X-11 IF-35 the ledger is down: rows wait, nobody is told but the log, and all arrive once', async t => {
    const ledger = await aLedger(t, () => 'cut')
    const service = await aService(t, ledger.url, { table: aTable() })
    await service.outbox.start()
    await written(service, 'COMMIT', 'a', 'b', 'c')
    await until(() => ledger.calls.length > 10)
    await service.outbox.stop(0)
    assert(noticesOf(service.lines, 'outbox_delayed').length <= 1)
    assert.deepEqual([service.outbox.relayed, (await service.rows()).length], [0, 3])
    ledger.follow(keepAll)
    await service.outbox.start()
    await until(() => service.outbox.relayed === 3)
    assert.deepEqual([...ledger.stored.keys()], ['a', 'b', 'c'])
    assert.deepEqual([service.box.stats().audit.dropped, service.box.stats().audit.delivered], [0, 3])
  })

  it('IF-34 a refused event stays with its reason and holds nothing up; a refused key holds all', async t => {
    const ledger = await aLedger(t, answering('bad', 400))
    const service = await aService(t, ledger.url, { table: aTable() })
    await service.outbox.migrate()
    await written(service, 'COMMIT', 'good', 'bad', 'better')
    assert.equal(await service.outbox.runOnce(), 2)
    const [row, ...others] = await service.rows()
    assert.deepEqual([row?.idempotency_key, row?.refused, others.length], ['bad', true, 0])
    assert.match(row?.reason ?? '', /invalid_meta.*no such thing/)
    assert.equal(noticesOf(service.lines, 'outbox_refused').length, 1)
    assert.deepEqual(service.outbox.stats(), {
      written: 3,
      relayed: 2,
      refused: 1,
      failed: 0,
      blocked: 0,
      running: false,
    })
    assert.deepEqual(await service.outbox.backlog(), { waiting: 0, refused: 1 })
    ledger.follow(() => ({ status: 401, body: { ok: false, reason: 'unknown_key', message: 'no' } }))
    await written(service, 'COMMIT', 'later')
    assert.equal(await service.outbox.runOnce(), 0)
    assert.deepEqual(
      (await service.rows()).map(({ refused }) => refused),
      [true, false],
    )
    ledger.follow(keepAll)
    assert.equal(await service.outbox.runOnce(), 1)
    assert.deepEqual([...ledger.stored.keys()], ['good', 'better', 'later'])
  })

  for (const [what, script] of Object.entries({
    'a 403 for it': answering('bad', 403),
    'a 404 for it': answering('bad', 404),
    'a 503 for it': answering('bad', 503),
    'a 403 for all that are sent with it': barring('bad', 403),
  })) {
    it(`IF-34 a row without a final answer, ${what}: the others arrive, and it does later`, async t => {
      const ledger = await aLedger(t, script)
      const service = await aService(t, ledger.url, { table: aTable(), batch: 3 })
      await service.outbox.start()
      await written(service, 'COMMIT', 'bad')
      await until(() => ledger.calls.length > 0)
      const names = Array.from({ length: 7 }, (_, i) => `good${i}`)
      await written(service, 'COMMIT', ...names)
      await until(() => service.outbox.relayed === names.length)
      assert.deepEqual([...ledger.stored.keys()].sort(), names)
      assert.deepEqual(await service.outbox.backlog(), { waiting: 1, refused: 0 })
      ledger.follow(keepAll)
      await until(() => service.outbox.relayed === names.length + 1)
      assert.deepEqual(await service.rows(), [])
    })
  }

  it('IF-34 runOnce() goes on past a row without a final answer, though it takes one at a time', async t => {
    const ledger = await aLedger(t, answering('bad', 403))
    const service = await aService(t, ledger.url, { table: aTable(), batch: 1 })
    await service.outbox.migrate()
    await written(service, 'COMMIT', 'a', 'bad', 'b', 'c')
    assert.equal(await service.outbox.runOnce(), 3)
    assert.deepEqual([...ledger.stored.keys()], ['a', 'b', 'c'])
  })

  it('the database ends all connections while rows are relayed: they are sent again, and known', async t => {
    const held = Promise.withResolvers<void>()
    const slow: Script = async (call, _nth, ledger) => {
      const deed = ledger.keep(call)
      await held.promise
      return deed
    }
    const ledger = await aLedger(t, slow)
    const service = await aService(t, ledger.url, { table: aTable() })
    await service.outbox.start()
    await written(service, 'COMMIT', 'a')
    await until(() => ledger.stored.size === 1)
    await service.cutConnections?.()
    held.resolve()
    await until(() => service.outbox.relayed === 1)
    assert.deepEqual([[...ledger.stored.keys()], await service.rows()], [['a'], []])
  })

  it('IF-37 close() ends the relay; what waits is left in the table', async t => {
    const ledger: LedgerStandIn = await aLedger(t, keepAll)
    const service = await aService(t, ledger.url, { table: aTable() })
    await service.outbox.start()
    await service.outbox.start()
    await written(service, 'COMMIT', 'a')
    await until(() => service.outbox.relayed === 1)
    assert.equal(service.outbox.stats().running, true)
    await service.box.close()
    assert.equal(service.outbox.stats().running, false)
    await written(service, 'COMMIT', 'b')
    assert.equal(await service.outbox.runOnce(), 0)
    assert.deepEqual([ledger.stored.size, (await service.rows()).length], [1, 1])
  })
}
