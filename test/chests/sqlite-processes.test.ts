import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sqlite } from 'deedbox/chests'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { aService } from './service-suite.ts'
import { rowsOf } from './sqlite-rows.ts'

function aFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-chests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'vars.db')
}

function aProcess(t: TestContext, source: string): ChildProcessWithoutNullStreams {
  // Or it reports to the test runner as if it were a test file.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const args = ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source]
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, env })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Another process that has the file locked; resolves once it has, to what ends that. */
async function locked(t: TestContext, file: string): Promise<() => void> {
  const child = aProcess(
    t,
    `import { DatabaseSync } from 'node:sqlite'
    const database = new DatabaseSync(${JSON.stringify(file)})
    database.exec('BEGIN EXCLUSIVE')
    console.log('locked')
    process.stdin.on('end', () => database.exec('ROLLBACK')).resume()`,
  )
  await once(child.stdout, 'data')
  return () => child.stdin.end()
}

test('FC-22 a file that another process has locked is waited for while other work goes on', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  t.after(() => chest.close())
  assert.deepEqual(await chest.check(), [])
  const unlock = await locked(t, file)
  let isOver = false
  const writing = chest.write(entriesOf(aRecord(), [['n', 1]])).finally(() => {
    isOver = true
  })
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  assert.equal(isOver, false)
  unlock()
  await writing
  assert.equal(await chest.count(), 1)
})

test('FC-12 FC-22 a file that stays locked is told, and loses nothing', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  const { box, lines } = aService(t, chest)
  assert.deepEqual(await chest.check(), [])
  const unlock = await locked(t, file)
  for (let n = 0; n < 20; n++) box.run({ name: 'job' }, () => box.set({ n }))
  await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
  assert.match(lines.join(''), /SQLite\(name=flask_chest\).*database is locked/)
  assert.match((await chest.check())[0]?.message ?? '', /database is locked/)
  unlock()
  await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === 20)
  const values = rowsOf(new DatabaseSync(file), 'flask_chest').map(({ value }) => value)
  assert.deepEqual(
    values,
    Array.from({ length: 20 }, (_, n) => n),
  )
})

test('FC-22 a second client reads while entries are written', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord(), [['n', 0]]))
  const client = new DatabaseSync(file, { readOnly: true })
  t.after(() => client.close())
  const count = (): unknown => client.prepare('SELECT COUNT(*) AS n FROM flask_chest').get()?.n
  client.exec('BEGIN')
  assert.equal(count(), 1)
  for (let n = 1; n < 50; n++) await chest.write(entriesOf(aRecord(), [['n', n]]))
  assert.equal(count(), 1)
  client.exec('COMMIT')
  assert.equal(count(), 50)
})

test('FC-22 FC-24 what was written is there after the process is killed', async t => {
  const file = aFile(t)
  const child = aProcess(
    t,
    `import { sqlite } from 'deedbox/chests'
    import { aRecord, entriesOf } from './entries.ts'
    const chest = sqlite(${JSON.stringify(file)})
    const names = Array.from({ length: 100 }, (_, i) => 'n' + i)
    for (let n = 0; ; n++) {
      await chest.write(entriesOf(aRecord(), names.map(name => [name, n])))
      process.stdout.write(n + '\\n')
    }`,
  )
  let said = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    said += text
  })
  await eventually(() => said.split('\n').length > 50)
  child.kill('SIGKILL')
  await once(child, 'close')
  const promised = said.split('\n').length - 1
  const stored = rowsOf(new DatabaseSync(file), 'flask_chest')
  assert(stored.length >= promised * 100)
  // A request stands or falls as one.
  assert.equal(stored.length % 100, 0)
  assert.deepEqual(
    stored.map(({ value }) => value),
    stored.map((_, i) => Math.floor(i / 100)),
  )
  const checked = new DatabaseSync(file)
  assert.deepEqual({ ...checked.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
  checked.close()
})
