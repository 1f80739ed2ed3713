import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startChild } from '../../testing/ledger-child.ts'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spoolFolder } from '../../testing/spooled-events.ts'
import { claim, orphansIn } from './claim.ts'
import { livenessOf, SignWatch } from './spool-owner.ts'

/** A process with events in its spool; the ledger takes none. */
async function aKilledProcess(t: TestContext, count: number) {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, () => ({ status: 503 }))
  const child = startChild('spooling-child.ts', {
    DEEDBOX_URL: ledger.url,
    DEEDBOX_API_KEY: 'deed_key_that_must_not_be_in_the_spool',
    DEEDBOX_SPOOL: folder,
    COUNT: String(count),
  })
  t.after(() => child.process.kill('SIGKILL'))
  await child.said('kept ')
  const keys = JSON.parse(/kept (.*)/.exec(child.output())![1]!) as string[]
  const [service] = readdirSync(folder)
  const target = join(folder, service!, readdirSync(join(folder, service!))[0]!)
  const kill = async (): Promise<void> => {
    const gone = once(child.process, 'exit')
    child.process.kill('SIGKILL')
    await gone
  }
  return { folder, ledger, child, keys, target, kill }
}

test('IF-37 ruling 23 kill -9: the next process delivers what was in the spool once, and knows how many there were', async t => {
  const { folder, ledger, keys, kill } = await aKilledProcess(t, 120)
  for (const name of filesBelow(folder)) {
    assert.ok(!readFileSync(join(folder, name), 'latin1').includes('deed_key_that'), name)
  }
  await kill()
  ledger.follow(keepAll)
  const next = startChild('spooling-child.ts', {
    DEEDBOX_URL: ledger.url,
    DEEDBOX_API_KEY: 'another-key',
    DEEDBOX_SPOOL: folder,
    COUNT: '1',
  })
  t.after(() => next.process.kill('SIGKILL'))
  await until(() => keys.every(key => ledger.stored.has(key)))
  assert.match(
    next.output(),
    /"notice":"audit_adopted","producer":"[0-9a-f-]{36}","high_water":122,"events":121/,
  )
  await until(() => !filesBelow(folder).some(name => name.includes('adopted')))
  const sent = ledger.calls.filter(
    ({ headers, path }) => headers.authorization === 'Bearer another-key' && path.startsWith('/v1/events'),
  )
  const received = sent.flatMap(({ items }) => items.map(({ key }) => key))
  assert.equal(received.length, new Set(received).size, 'nothing was sent twice')
  next.process.kill('SIGTERM')
  await next.ended
  assert.deepEqual(
    filesBelow(folder).map(name => name.split('/').at(-1)),
    ['ledger.json'],
  )
})

test('ruling 23 a living process keeps its spool; of two rivals one gets that of a dead one', async t => {
  const { target, kill } = await aKilledProcess(t, 30)
  assert.deepEqual(await orphansIn(target, () => false), [])
  await kill()
  const [orphan] = await orphansIn(target, () => false)
  assert.ok(orphan !== undefined)
  const into = [1, 2, 3, 4].map(i => join(target, `rival-0000${i}`))
  const claimed = await Promise.all(into.map(path => claim(target, orphan, path)))
  assert.deepEqual(claimed.map(({ length }) => length).sort(), [0, 0, 0, 1])
})

test('ruling 23 numbers of processes that are used again, other containers and other hosts are told apart', async t => {
  const { target, kill } = await aKilledProcess(t, 1)
  const [name] = readdirSync(target).filter(each => each !== 'ledger.json')
  const folder = join(target, name!)
  const owner = JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Record<string, unknown>
  const become = (changes: Record<string, unknown>): void =>
    writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...owner, ...changes }))
  assert.equal(livenessOf(folder, name!), 'alive')
  if (owner.space === null) {
    t.diagnostic('this system does not tell when a process began')
  } else {
    become({ started: '1' })
    assert.equal(livenessOf(folder, name!), 'dead', 'the number is another process’s by now')
    become({ space: 'another boot, or another container' })
    assert.equal(livenessOf(folder, name!), 'unknown')
    become({ pid: process.pid, started: startedAt(), thread: 3 })
    assert.equal(livenessOf(folder, name!), 'unknown', 'a thread of this process, which may have ended')
  }
  become({ space: null, started: null, host: 'elsewhere' })
  assert.equal(livenessOf(folder, name!), 'unknown')
  // The clocks of machines differ: however old a sign of life looks, only one that stays away says something.
  let now = 0
  const signs = new SignWatch(() => now)
  const longAgo = new Date(Date.now() - 3_600_000)
  utimesSync(join(folder, 'mark'), longAgo, longAgo)
  assert.equal(signs.isSilent(folder), false, 'seen for the first time')
  now = 60_000
  const still = new Date(Date.now() - 3_500_000)
  utimesSync(join(folder, 'mark'), still, still)
  assert.equal(signs.isSilent(folder), false, 'a sign of life by a clock that is behind')
  now = 120_000
  assert.equal(signs.isSilent(folder), false)
  now = 150_000
  assert.equal(signs.isSilent(folder), true)
  writeFileSync(join(folder, 'owner.json'), 'null')
  assert.equal(livenessOf(folder, name!), 'unknown')
  writeFileSync(join(folder, 'owner.json'), 'nonsense')
  assert.equal(livenessOf(folder, name!), 'unknown', 'that it cannot be read says nothing')
  rmSync(join(folder, 'owner.json'))
  assert.equal(livenessOf(folder, name!), 'dead')
  await kill()
})

test('ruling 23 what waits for one ledger is never sent to another, nor from one service as another', async t => {
  const { folder, keys, kill } = await aKilledProcess(t, 5)
  await kill()
  const other = await aLedger(t, keepAll)
  const { outlet, adopted } = aSpooledOutlet(t, other, folder)
  const [event] = someEvents(1)
  assert.equal(await outlet.keep(event!), true)
  assert.equal(await outlet.flush(10_000), true)
  assert.deepEqual(adopted, [])
  assert.deepEqual(
    [...other.stored.keys()].filter(key => keys.includes(key)),
    [],
  )
})

test('ruling 23 folders that others left unfinished or filled with anything stop nobody', async t => {
  const { folder, target, kill } = await aKilledProcess(t, 5)
  await kill()
  const ledgerOf = readFileSync(join(target, 'ledger.json'), 'utf8')
  mkdirSync(join(target, 'somebody-else'))
  writeFileSync(join(target, 'somebody-else', 'owner.json'), 'null')
  mkdirSync(join(target, 'old-one.new'))
  writeFileSync(join(target, 'old-one.new', 'mark'), '')
  const longAgo = new Date(Date.now() - 7_200_000)
  utimesSync(join(target, 'old-one.new'), longAgo, longAgo)
  mkdirSync(join(target, 'new-one.new'))
  const { ledger: url } = JSON.parse(ledgerOf) as { ledger: string }
  const next = startChild('spooling-child.ts', {
    DEEDBOX_URL: url,
    DEEDBOX_API_KEY: 'a-key',
    DEEDBOX_SPOOL: folder,
    COUNT: '1',
  })
  t.after(() => next.process.kill('SIGKILL'))
  await until(() => next.output().includes('audit_adopted'))
  const names = readdirSync(target)
  assert.deepEqual([names.includes('old-one.new'), names.includes('new-one.new')], [false, true])
  assert.ok(names.includes('somebody-else'), 'whose it is cannot be seen')
})

function startedAt(): string | undefined {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
