import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type ReadableChest, sqlite } from 'deedbox/chests'
import { aRecord, entriesOf } from './entries.ts'

function aFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-chests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'vars.db')
}

async function written(chest: ReadableChest, name: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await chest.write(entriesOf(aRecord(), [[name, `${n}`.padStart(300, 'x')]]))
}

/** How many rows of each name another client finds in a whole file. */
function countsIn(file: string): Record<string, unknown> {
  const database = new DatabaseSync(file)
  try {
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    const rows = database.prepare('SELECT name, COUNT(*) AS count FROM flask_chest GROUP BY name').all()
    return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
  } finally {
    database.close()
  }
}

/** Another process that runs this until its input ends; resolves once it says something. */
async function aProcess(t: TestContext, source: string): Promise<ChildProcessWithoutNullStreams> {
  // Or it reports to the test runner as if it were a test file.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const args = ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source]
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname, env })
  t.after(() => child.kill('SIGKILL'))
  child.stderr.pipe(process.stderr)
  await once(child.stdout, 'data')
  return child
}

/** Another process that has read the file as it is now, and holds on to that. */
function aReader(t: TestContext, file: string): Promise<ChildProcessWithoutNullStreams> {
  return aProcess(
    t,
    `import { DatabaseSync } from 'node:sqlite'
    const database = new DatabaseSync(${JSON.stringify(file)})
    database.exec('BEGIN')
    database.prepare('SELECT COUNT(*) FROM flask_chest').get()
    console.log('read')
    process.stdin.on('end', () => database.close()).resume()`,
  )
}

test('FC-24 what was written is in the file that was moved away, whether a write or the end comes next', async t => {
  for (const isWriting of [true, false]) {
    const file = aFile(t)
    const chest = sqlite(file)
    await written(chest, 'before', 50)
    renameSync(file, `${file}.old`)
    if (isWriting) await written(chest, 'after', 1)
    await chest.close()
    assert.deepEqual(countsIn(`${file}.old`), { before: 50 })
    if (isWriting) assert.deepEqual(countsIn(file), { after: 1 })
    else assert.deepEqual(readdirSync(dirname(file)), [`${basename(file)}.old`])
  }
})

test('FC-24 a backup that replaces the file is as it was, and is written to', async t => {
  for (const isWriting of [true, false]) {
    const file = aFile(t)
    const backup = sqlite(`${file}.backup`)
    await written(backup, 'backup', 300)
    await backup.close()
    const chest = sqlite(file)
    await written(chest, 'before', 200)
    // What it replaces is still there under another name.
    linkSync(file, `${file}.old`)
    renameSync(`${file}.backup`, file)
    if (isWriting) await written(chest, 'after', 1)
    await chest.close()
    assert.deepEqual(countsIn(file), isWriting ? { backup: 300, after: 1 } : { backup: 300 })
    assert.deepEqual(countsIn(`${file}.old`), { before: 200 })
  }
})

test('FC-24 two chests of one file both leave it when it is moved, and meet in the next', async t => {
  const file = aFile(t)
  const chests = [sqlite(file), sqlite(file)]
  t.after(() => Promise.all(chests.map(chest => chest.close())))
  const inTurn = async (name: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n++) for (const chest of chests) await written(chest, name, 1)
  }
  await inTurn('before', 5)
  renameSync(file, `${file}.old`)
  await inTurn('after', 20)
  for (const chest of chests) await chest.close()
  assert.deepEqual([countsIn(`${file}.old`), countsIn(file)], [{ before: 10 }, { after: 40 }])
  assert.deepEqual(readdirSync(dirname(file)).sort(), [basename(file), `${basename(file)}.old`])
})

test('FC-24 so do the chests of two processes', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  const child = await aProcess(
    t,
    `import { sqlite } from 'deedbox/chests'
    import { aRecord, entriesOf } from './entries.ts'
    const chest = sqlite(${JSON.stringify(file)})
    const write = async name => {
      for (let n = 0; n < 20; n++) await chest.write(entriesOf(aRecord(), [[name, n]]))
      console.log(name)
    }
    await write('before')
    process.stdin.on('data', () => write('after')).on('end', () => chest.close())`,
  )
  await written(chest, 'before', 20)
  renameSync(file, `${file}.old`)
  await written(chest, 'after', 20)
  child.stdin.write('go on')
  await once(child.stdout, 'data')
  await written(chest, 'after', 20)
  assert.deepEqual(countsIn(`${file}.old`), { before: 40 })
  child.stdin.end()
  await once(child, 'close')
  await chest.close()
  assert.deepEqual([countsIn(`${file}.old`), countsIn(file)], [{ before: 40 }, { after: 60 }])
})

test('FC-24 while another process keeps rows from going with their file, the next are waited with', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  await written(chest, 'before', 1)
  const reader = await aReader(t, file)
  await written(chest, 'before', 49)
  renameSync(file, `${file}.old`)
  await assert.rejects(written(chest, 'after', 1), {
    code: 'unavailable',
    message: /was moved, and another program reads/,
  })
  reader.stdin.end()
  await once(reader, 'close')
  await written(chest, 'after', 1)
  await chest.close()
  assert.deepEqual([countsIn(`${file}.old`), countsIn(file)], [{ before: 50 }, { after: 1 }])
})

test('FC-24 rows that cannot go with their file before the end are set aside, and told', async t => {
  const file = aFile(t)
  const told: string[] = []
  const logger = { debug: () => {}, warn: (text: string) => told.push(text) }
  const chest = sqlite(file, { logger })
  await written(chest, 'before', 1)
  await aReader(t, file)
  await written(chest, 'before', 49)
  const backup = sqlite(`${file}.backup`)
  await written(backup, 'backup', 3)
  await backup.close()
  linkSync(file, `${file}.old`)
  renameSync(`${file}.backup`, file)
  await chest.close()
  assert.deepEqual(countsIn(file), { backup: 3 })
  const [, aside] = /They are in (\S+)\. /.exec(told.join()) ?? []
  assert(aside !== undefined, told.join())
  renameSync(aside, `${file}.old-wal`)
  assert.deepEqual(countsIn(`${file}.old`), { before: 50 })
})

test('FC-24 a link that leads to another file takes nothing from the one that it led to', async t => {
  const file = aFile(t)
  const link = `${file}.link`
  symlinkSync(file, link)
  const [chest, other] = [sqlite(link), sqlite(file)]
  t.after(() => other.close())
  await written(other, 'before', 10)
  await written(chest, 'before', 10)
  symlinkSync(`${file}.next`, `${link}.next`)
  renameSync(`${link}.next`, link)
  await written(chest, 'after', 1)
  await chest.close()
  await written(other, 'before', 10)
  assert.deepEqual([countsIn(file), countsIn(`${file}.next`)], [{ before: 30 }, { after: 1 }])
})

test('FC-22 a write that waits when the chest is closed fails, and opens nothing', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  await written(chest, 'before', 1)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const waiting = assert.rejects(written(chest, 'late', 1), { code: 'unavailable', message: /it is closed/ })
  await chest.close()
  other.exec('ROLLBACK')
  other.close()
  await waiting
  // Whoever closes a file last takes its log away: nobody has it open.
  assert.deepEqual(readdirSync(dirname(file)), [basename(file)])
  await assert.rejects(chest.count(), { code: 'unavailable' })
})

test('FC-22 a new file is for its owner alone, and so is what SQLite makes beside it', async t => {
  const file = aFile(t)
  const chest = sqlite(file)
  t.after(() => chest.close())
  await written(chest, 'n', 1)
  for (const end of ['', '-wal', '-shm']) assert.equal(statSync(file + end).mode & 0o777, 0o600, end)
})
