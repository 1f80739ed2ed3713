import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type Child, startChild } from '../testing/ledger-child.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { filesBelow, spooledText, spoolFolder } from '../testing/spooled-events.ts'

interface Line {
  readonly id: string
  readonly name: string
  readonly value: unknown
  readonly requestId: string
}

/** A spool, a file that a chest writes to, and processes that have both. */
function aPlace(t: TestContext) {
  const folder = spoolFolder(t)
  const file = join(spoolFolder(t), 'chest.jsonl')
  const start = (variables: Readonly<Record<string, string>>): Child => {
    const child = startChild('tracking-child.ts', {
      DEEDBOX_SPOOL: folder,
      FILE: file,
      DURABLE: 'yes',
      ADDRESS: 'here',
      ...variables,
    })
    t.after(() => child.process.kill('SIGKILL'))
    return child
  }
  const lines = (): Line[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map(line => JSON.parse(line) as Line)
      : []
  return { folder, file, start, lines }
}

async function kill(child: Child): Promise<void> {
  const gone = once(child.process, 'exit')
  child.process.kill('SIGKILL')
  await gone
}

async function end(child: Child): Promise<void> {
  child.process.kill('SIGTERM')
  await child.ended
}

test('ruling 25 kill -9 between accept and write: the next process writes each request once, and says how many', async t => {
  const { folder, start, lines } = aPlace(t)
  // A batch of 200, of which one half is written and none confirmed; the others were not asked for.
  const first = start({ COUNT: '500', HOW: 'half' })
  const { pid } = first.process
  await until(() => spooledText(folder).includes(`"${pid}-499"`) && lines().length >= 200)
  const before = lines().map(({ id }) => id)
  assert.equal(before.length, 200)
  await kill(first)
  const next = start({ COUNT: '1' })
  await until(() => lines().length >= 1_002)
  await end(next)
  const after = lines()
  assert.equal(after.length, 1_002, 'two variables of 501 requests')
  assert.equal(new Set(after.map(({ id }) => id)).size, 1_002)
  for (const id of before) assert.equal(after.filter(line => line.id === id).length, 1, id)
  const numbers = after.filter(({ name, requestId }) => name === 'n' && requestId.startsWith(`${pid}-`))
  assert.deepEqual(
    numbers.map(({ value }) => value).sort((a, b) => Number(a) - Number(b)),
    Array.from({ length: 500 }, (_, n) => n),
  )
  assert.match(
    next.output(),
    /Written to Own\(name=one\) in place of a process that ended: the tracked variables of 500 requests"/,
  )
  assert.match(
    next.output(),
    /"notice":"chest_adopted","producer":"[0-9a-f-]{36}","requests":500,"chest":"Own/,
  )
  assert.deepEqual(
    filesBelow(folder).map(name => name.split('/').at(-1)),
    ['ledger.json'],
  )
})

test('ruling 25 what waits for a chest is written to no other one, by its id and by its address', async t => {
  const { folder, start, lines } = aPlace(t)
  const first = start({ COUNT: '5', HOW: 'hang' })
  const { pid } = first.process
  await until(() => spooledText(folder).includes(`"${pid}-4"`))
  await kill(first)
  const others: Readonly<Record<string, string>>[] = [{ ADDRESS: 'there' }, { ID: 'Own(name=two)' }]
  for (const other of others) {
    const stranger = start({ COUNT: '1', ...other })
    await until(() => lines().some(({ requestId }) => requestId === `${stranger.process.pid}-0`))
    await end(stranger)
    assert.ok(!lines().some(({ requestId }) => requestId.startsWith(`${pid}-`)))
    assert.doesNotMatch(stranger.output(), /chest_adopted/)
  }
  const owner = start({})
  await until(() => lines().filter(({ requestId }) => requestId.startsWith(`${pid}-`)).length === 10)
  await end(owner)
})

test('ruling 25 a value of a megabyte survives in the spool; what is longer is told, and lost with the process', async t => {
  const { folder, file, start, lines } = aPlace(t)
  const first = start({ COUNT: '3', SIZE: '1000000', HOW: 'hang' })
  const { pid } = first.process
  await until(() => spooledText(folder).includes(`"${pid}-2"`))
  await kill(first)
  const long = start({ COUNT: '2', SIZE: '1500000', HOW: 'hang', ID: 'Own(name=long)' })
  await long.said('"notice":"spool_unfit"')
  assert.match(long.output(), /Too long for the spool of Own\(name=long\), which takes 8 MiB of one/)
  await kill(long)
  const next = start({})
  // To read so much text again and again takes the processor from who writes it: JSON has six bytes for each character.
  await until(
    () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 18_000_000 && lines().length === 6,
  )
  await end(next)
  for (const { name, value } of lines())
    if (name === 'text') assert.ok(value === '\u0001'.repeat(1_000_000), 'whole')
  const before = statSync(file).size
  const heir = start({ COUNT: '1', ID: 'Own(name=long)' })
  await until(() => statSync(file).size > before && lines().length === 8)
  await end(heir)
  assert.equal(lines().length, 8)
})

test('ruling 25 without durable what waits is lost with a killed process, and nothing of it is on the disk', async t => {
  const { folder, start, lines } = aPlace(t)
  const first = start({ COUNT: '5', HOW: 'hang', DURABLE: 'no' })
  await first.said('tracked as')
  await kill(first)
  assert.deepEqual(filesBelow(folder), [])
  const next = start({ COUNT: '1', DURABLE: 'no' })
  await until(() => lines().length === 2)
  await end(next)
  assert.equal(lines().length, 2)
})

test('ruling 25 FC-22 the same with SQLite: what was locked out, and what was written but never confirmed', async t => {
  const { folder, start } = aPlace(t)
  const file = join(spoolFolder(t), 'vars.db')
  const lock = new DatabaseSync(file)
  lock.exec('PRAGMA journal_mode = WAL; CREATE TABLE other (a); BEGIN IMMEDIATE')
  const shutOut = start({ FILE: file, COUNT: '300' })
  await until(() => spooledText(folder).includes(`"${shutOut.process.pid}-299"`))
  await kill(shutOut)
  lock.exec('COMMIT')
  const count = (): number => {
    const isThere = lock.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'flask_chest'").get()
    return isThere?.n === 0 ? 0 : Number(lock.prepare('SELECT count(*) AS n FROM flask_chest').get()?.n)
  }
  assert.equal(count(), 0)
  const unheard = start({ FILE: file, COUNT: '0', HOW: 'hang' })
  await until(() => count() === 400)
  await kill(unheard)
  const last = start({ FILE: file, COUNT: '1' })
  await until(() => count() === 602)
  await end(last)
  assert.equal(count(), 602)
  assert.equal(lock.prepare('SELECT count(DISTINCT entry_id) AS n FROM flask_chest').get()?.n, 602)
  lock.close()
  assert.deepEqual(
    filesBelow(folder).map(name => name.split('/').at(-1)),
    ['ledger.json'],
  )
})
