import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { deedbox } from '../box.ts'
import { startChild } from '../testing/ledger-child.ts'
import { aLedger } from '../testing/ledger-events.ts'
import { keepAll, until } from '../testing/ledger-stand-in.ts'
import { filesBelow, spooledText, spoolFolder } from '../testing/spooled-events.ts'
import type { Chest } from '../tracking/index.ts'
import { ChestError } from '../tracking/index.ts'

function run(folder: string, args: readonly string[], variables: Record<string, string> = {}) {
  const main = new URL('main.ts', import.meta.url).href
  const program = `import { main } from ${JSON.stringify(main)}; process.exitCode = await main(process.argv.slice(1))`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', program, 'outbox', ...args],
    { env: { PATH: process.env.PATH, DEEDBOX_SPOOL: folder, ...variables }, encoding: 'utf8' },
  )
  return { code: status, stdout, stderr }
}

/** A spool with the variables of two requests that a chest refused, and of three of a killed process. */
async function aSpool(t: TestContext) {
  const folder = spoolFolder(t)
  const file = join(spoolFolder(t), 'vars.db')
  const id = 'SQLite(name=flask_chest)'
  const chest: Chest = {
    id,
    address: file,
    queue: { durable: true, linger: 0 },
    write: () => Promise.reject(new ChestError('refused', id, 'no such column')),
    check: async () => [],
    close: async () => {},
  }
  const lines: string[] = []
  const box = deedbox({
    service: 'tracking',
    ledger: null,
    log: { sink: line => void lines.push(line), format: 'flat' },
    audit: { spool: { folder } },
    processErrors: 'off',
    flushOnSignal: false,
    chests: [chest],
  })
  for (const requestId of ['refused-1', 'refused-2'])
    box.run({ name: 'job', requestId }, () => box.set({ total: 1 }))
  assert.equal(await box.flush(), true)
  assert.deepEqual([box.stats().chests[0]?.rejected, await box.close()], [2, true])
  assert.match(lines.join('\n'), /kept as dead letters: 2\. .*deedbox outbox replay --chest <url>/)
  const child = startChild('tracking-child.ts', {
    DEEDBOX_SPOOL: folder,
    COUNT: '3',
    HOW: 'hang',
    DURABLE: 'yes',
    ID: id,
    ADDRESS: file,
  })
  t.after(() => child.process.kill('SIGKILL'))
  await until(() => spooledText(folder).includes(`"${child.process.pid}-2"`))
  const gone = once(child.process, 'exit')
  child.process.kill('SIGKILL')
  await gone
  return { folder, file, pid: child.process.pid }
}

function rowsOf(file: string): string[] {
  const database = new DatabaseSync(file)
  const rows = database.prepare('SELECT request_id, name, value FROM flask_chest ORDER BY 1, 2').all()
  database.close()
  return rows.map(({ request_id, name, value }) => `${request_id} ${name}=${value}`)
}

test('ruling 25 outbox: what is for a chest is listed under its name, goes to no ledger, and is replayed to the chest alone', async t => {
  const { folder, file, pid } = await aSpool(t)
  const listed = run(folder, ['list'])
  assert.match(listed.stdout, /\ntracking +chest SQLite\(name=flask_chest\) at \S+vars\.db +0 +3 +2\n$/)
  const ledger = await aLedger(t, keepAll)
  const untouched = run(folder, ['replay', '--to', ledger.url], { DEEDBOX_API_KEY: 'a-key' })
  assert.match(
    untouched.stdout,
    /^There is nothing to replay\. 5 requests for chests: not touched, "--chest <url>"/,
  )
  assert.equal(ledger.calls.length, 0)
  const other = run(folder, ['replay', '--chest', `sqlite:${file}.other`])
  assert.match(other.stdout, /0 stored, .* 5 requests for chests: not touched/)
  const replayed = run(folder, ['replay', '--chest', `sqlite:${file}`])
  assert.equal(replayed.code, 0, replayed.stderr)
  assert.match(
    replayed.stdout,
    /^Replayed to SQLite\(name=flask_chest\): 5 stored, 0 already there, 0 refused, 0 not sent\.\n$/,
  )
  const ofTheKilled = [0, 1, 2].flatMap(n => [`${pid}-${n} n=${n}`, `${pid}-${n} text=`])
  assert.deepEqual(rowsOf(file), [...ofTheKilled, 'refused-1 total=1', 'refused-2 total=1'])
  assert.deepEqual(
    filesBelow(folder).map(name => name.split('/').at(-1)),
    ['ledger.json'],
  )
})

test('ruling 25 outbox: a chest that was moved is named twice, and drop removes what it refused', async t => {
  const { folder, file } = await aSpool(t)
  const moved = `${file}.moved`
  const name = `SQLite(name=flask_chest) at ${file}`
  const replayed = run(folder, ['replay', '--ledger', name, '--chest', `sqlite:${moved}`, '--output', 'json'])
  assert.equal(JSON.parse(replayed.stdout).length, 5, replayed.stderr)
  assert.equal(rowsOf(moved).length, 8)
  const again = await aSpool(t)
  assert.equal(run(again.folder, ['drop', '--yes']).stdout, 'Removed 2 dead letters.\n')
  const both = run(folder, ['replay', '--to', 'http://127.0.0.1:1', '--chest', `sqlite:${file}`])
  assert.deepEqual([both.code, both.stderr.includes('give one of them')], [2, true])
})
