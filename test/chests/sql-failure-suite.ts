import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { ChestError } from 'deedbox/chests'
import { aRecord, entriesOf, eventually, writeUntilTaken } from './entries.ts'
import { aService } from './service-suite.ts'
import { silentProxy } from './silent-proxy.ts'
import type { SqlServer } from './sql-server-suite.ts'

/** What a database server may do to a chest. */
export function sqlFailureSuite(server: SqlServer): void {
  const { skip, url, open, ask } = server
  const title = (rows: string, words: string): string => `${rows} ${server.name} chest: ${words}`

  test(title('FC-24', 'a table that somebody drops is created again'), { skip }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    t.after(() => chest.close())
    await chest.write(entriesOf(aRecord(), [['n', 1]]))
    await ask(`DROP TABLE ${name}`)
    await chest.write(entriesOf(aRecord(), [['n', 2]]))
    await ask(`DROP TABLE ${name}`)
    assert.equal(await chest.count(), 0)
    await ask('DROP TABLE deedbox_chests')
    assert.equal(await chest.lease('me', 60_000), true)
  })

  test(title('FC-24', 'what comes twice in one write is stored once'), { skip }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    t.after(() => chest.close())
    const [first, second] = [1, 2].map(n => entriesOf(aRecord(), [['n', n]]))
    await chest.write([...first!, ...second!, ...first!])
    assert.equal(await chest.count(), 2)
  })

  test(title('FC-22 FC-24', 'five processes that find a table of the original write all they have'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    await ask(`CREATE TABLE ${name} (unique_id ${server.counted}, request_id text, name text, value text)`)
    await ask(`INSERT INTO ${name} (request_id, name, value) VALUES ('old', 'a', '1')`)
    const program = `import { ${server.open.name} } from 'deedbox/chests'
import { aRecord, entriesOf, writeUntilTaken } from './entries.ts'
const chest = ${server.open.name}(${JSON.stringify(url)}, { name: '${name}' })
for (let n = 0; n < 20; n++) await writeUntilTaken(chest, entriesOf(aRecord(), [['n', n]]))`
    const ended = await Promise.all(Array.from({ length: 5 }, () => aProcess(t, program)))
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0, 0, 0, 0],
    )
    const chest = open(url, { name })
    t.after(() => chest.close())
    assert.equal(await chest.count(), 101)
  })

  test(title('FC-24', 'what the server will never take costs nobody else'), { skip }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    assert.deepEqual(await chest.check(), [])
    await ask(`ALTER TABLE ${name} ADD CONSTRAINT no_bad_ones CHECK (name <> 'bad')`)
    const failure = await chest.write(entriesOf(aRecord(), [['bad', 1]])).catch((error: unknown) => error)
    assert(failure instanceof ChestError)
    assert.equal(failure.code, 'refused')
    assert.match(failure.message, /no_bad_ones/)
    assert.deepEqual(
      Object.keys(failure.cause as Error).filter(key => ['sql', 'detail'].includes(key)),
      [],
    )
    const { box } = aService(t, chest)
    for (const n of [1, 2, 3, 4, 5])
      box.run({ name: 'job' }, () => box.set({ [n === 3 ? 'bad' : 'good']: n }))
    await box.flush()
    const { delivered, rejected, queued } = box.stats().chests[0]!
    assert.deepEqual({ delivered, rejected, queued }, { delivered: 4, rejected: 1, queued: 0 })
    assert.deepEqual(
      (await server.storedIn(name)).map(({ value }) => value),
      [1, 2, 4, 5],
    )
  })

  test(title('FC-24', 'what a trigger refuses costs nobody else'), { skip }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    assert.deepEqual(await chest.check(), [])
    await server.refuseByTrigger(name, 'bad')
    const { box } = aService(t, chest)
    for (const n of [1, 2, 3]) box.run({ name: 'job' }, () => box.set({ [n === 2 ? 'bad' : 'good']: n }))
    await box.flush()
    const { delivered, rejected, queued } = box.stats().chests[0]!
    assert.deepEqual({ delivered, rejected, queued }, { delivered: 2, rejected: 1, queued: 0 })
  })

  const heldBack = title('FC-24', 'it is closed though what is too old cannot be deleted')
  test(heldBack, { skip, timeout: 60_000 }, async t => {
    const name = server.freshTable()
    const first = open(url, { name })
    t.after(() => first.close())
    await first.write(entriesOf(aRecord({ timestamp: Date.UTC(2020, 0) * 1_000 }), [['old', 1]]))
    const lines: string[] = []
    const logger = { debug: () => {}, warn: (line: string) => void lines.push(line) }
    const chest = open(url, { name, retentionDays: 7, timeout: 3_600_000, logger })
    const release = await server.hold(name, 'rows')
    try {
      await chest.write(entriesOf(aRecord({ timestamp: Date.now() * 1_000 }), [['young', 1]]))
      await chest.close()
    } finally {
      await release()
    }
    assert.match(lines.join(), /was not closed in order/)
    await eventually(async () => (await first.count()) === 1)
  })

  test(title('FC-24', 'another unique key of the table is not taken for a repeat'), { skip }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name })
    t.after(() => chest.close())
    const entries = entriesOf(aRecord({ status: 201 }), [['n', 1]])
    await chest.write(entries)
    await ask(`CREATE UNIQUE INDEX one_status_${name} ON ${name} (status)`)
    await chest.write(entries)
    await assert.rejects(chest.write(entriesOf(aRecord({ status: 201 }), [['n', 2]])), { code: 'refused' })
    await chest.write([...entries, ...entriesOf(aRecord({ status: 202 }), [['n', 3]])])
    assert.deepEqual(
      (await server.storedIn(name)).map(({ value }) => value),
      [1, 3],
    )
  })

  test(title('FC-24', 'a server that falls silent fails a write, and blocks no later one'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    const there = new URL(url)
    const proxy = await silentProxy(t, Number(there.port))
    there.port = String(proxy.port)
    const chest = open(there.href, { name, timeout: 300 })
    t.after(() => chest.close())
    await writeUntilTaken(chest, entriesOf(aRecord(), [['n', 1]]))
    proxy.fallSilent()
    // Connections that are open, and more new ones than the pool may have.
    for (let n = 0; n < 6; n++)
      await assert.rejects(chest.write(entriesOf(aRecord(), [['lost', n]])), { code: 'unavailable' })
    assert.equal((await chest.check()).length, 1)
    proxy.recover()
    await writeUntilTaken(chest, entriesOf(aRecord(), [['n', 2]]))
    assert.deepEqual(
      (await server.storedIn(name)).filter(entry => entry.name === 'n').map(({ value }) => value),
      [1, 2],
    )
    proxy.fallSilent()
    await chest.close()
  })

  test(title('FC-24', 'a table that somebody holds makes a write wait, then fail, then succeed'), {
    skip,
  }, async t => {
    const name = server.freshTable()
    const chest = open(url, { name, timeout: 400 })
    t.after(() => chest.close())
    const entries = entriesOf(aRecord(), [['n', 1]])
    await writeUntilTaken(chest, entriesOf(aRecord(), [['n', 0]]))
    const release = await server.hold(name, 'table')
    await assert.rejects(chest.write(entries), { code: 'unavailable' })
    await release()
    await writeUntilTaken(chest, entries)
    await writeUntilTaken(chest, entries)
    assert.deepEqual(
      (await server.storedIn(name)).map(({ value }) => value),
      [0, 1],
    )
  })

  test(title('FC-24', 'a process that does not close its chest ends all the same'), { skip }, async t => {
    const name = server.freshTable()
    const program = `import { ${server.open.name} } from 'deedbox/chests'
import { aRecord, entriesOf } from './entries.ts'
const chest = ${server.open.name}(${JSON.stringify(url)}, { name: '${name}' })
await chest.write(entriesOf(aRecord(), [['n', 1]]))
console.log(await chest.count())`
    const { code, output } = await aProcess(t, program)
    assert.equal(code, 0, output)
    assert.equal(output, '1\n')
  })

  test(title('FC-24', 'without its driver it says what to install'), async t => {
    const program = `import { registerHooks } from 'node:module'
registerHooks({ resolve(specifier, context, next) {
  if (specifier.split('/')[0] === '${server.driver}') throw Object.assign(new Error('not there'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(specifier, context)
} })
const { aRecord, entriesOf } = await import('./entries.ts')
const { ${server.open.name} } = await import('deedbox/chests')
const chest = ${server.open.name}(${JSON.stringify(url)})
try { await chest.write(entriesOf(aRecord(), [['n', 1]])) } catch (error) { console.log(error.code, error.message) }
console.log((await chest.check()).length)
await chest.close()`
    const { output } = await aProcess(t, program)
    assert(output.startsWith('driver_missing '), output)
    assert(output.includes(`npm i ${server.driver} `) && output.endsWith('\n1\n'), output)
  })
}

async function aProcess(t: TestContext, program: string): Promise<{ code: unknown; output: string }> {
  // Or it reports to the test runner as if it were a test file.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', program],
    { cwd: import.meta.dirname, env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.after(() => child.kill('SIGKILL'))
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { code, output }
}
