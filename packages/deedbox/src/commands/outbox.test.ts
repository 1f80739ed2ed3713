import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LedgerClient, LedgerResult } from '../audit/index.ts'
import { aBox, aLedger, someEvents } from '../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, type Script, until } from '../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spooledText, spoolFolder } from '../testing/spooled-events.ts'
import { type Replayed, replay } from './outbox-replay.ts'
import { groupsIn } from './outbox-view.ts'

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a process of its own. */
function run(folder: string, args: readonly string[], variables: Record<string, string> = {}): Promise<Run> {
  const main = new URL('main.ts', import.meta.url).href
  const program = `import { main } from ${JSON.stringify(main)}; process.exitCode = await main(process.argv.slice(1))`
  const node = ['--conditions=@deedbox/source', '--input-type=module', '-e', program, 'outbox', ...args]
  return new Promise(done => {
    execFile(
      process.execPath,
      node,
      { env: { PATH: process.env.PATH, DEEDBOX_SPOOL: folder, ...variables } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const refuse: Script = () => ({
  status: 422,
  body: { reason: 'invalid_meta', message: 'no \u001b[31mred\u001b[0m' },
})

/** A spool with three dead letters, two events that were left behind, and one of a living instance. */
async function aSpool(t: TestContext): Promise<{ folder: string; ledger: LedgerStandIn; keys: string[] }> {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, refuse)
  const first = aSpooledOutlet(t, ledger, folder)
  const events = someEvents(5)
  for (const event of events.slice(0, 3)) first.outlet.offer(event)
  assert.equal(await first.outlet.flush(10_000), true)
  ledger.follow(() => ({ status: 503 }))
  for (const event of events.slice(3)) await first.outlet.keep(event)
  first.outlet.close()
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
  return { folder, ledger, keys: events.map(({ idempotencyKey }) => idempotencyKey) }
}

test('IF-34 outbox list, show: what waits and what is dead, for people and as JSON, without a key', async t => {
  const { folder, ledger, keys } = await aSpool(t)
  const listed = await run(folder, ['list'])
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(listed.stdout, /^SERVICE +LEDGER +WAITING +LEFT BEHIND +DEAD\ntests +http:\S+ +0 +2 +3\n$/)
  const json = JSON.parse((await run(folder, ['list', '--dead', '--output', 'json'])).stdout)
  assert.equal(json.length, 1)
  assert.deepEqual([json[0].service, json[0].waiting, json[0].left, json[0].dead], ['tests', 0, 2, 3])
  assert.equal(json[0].ledger.startsWith(ledger.url), true)
  assert.deepEqual(
    new Set(json[0].letters.map((letter: { status: number }) => letter.status)),
    new Set([422]),
  )
  const dead = await run(folder, ['list', '--dead'])
  assert.match(dead.stdout, /422 invalid_meta: no \?\[31mred/)
  const shown = await run(folder, ['show', keys[0]!])
  assert.equal(JSON.parse(shown.stdout).payload, someEvents(1)[0]!.payload)
  const nothing = await run(spoolFolder(t), ['list'])
  assert.match(nothing.stdout, /^Nothing waits in /)
})

test('IF-34 IP-08 outbox replay sends the same bytes under the same keys, and removes what was taken', async t => {
  const { folder, ledger, keys } = await aSpool(t)
  const variables = { DEEDBOX_API_KEY: 'replay-key' }
  assert.equal((await run(folder, ['replay'])).code, 2, 'without a key')
  const refused = await run(folder, ['replay'], variables)
  assert.equal(refused.code, 1)
  assert.match(refused.stdout, /3 not sent\.\n$/, 'what was left behind is not tried')
  const before = ledger.calls.length
  ledger.follow(keepAll)
  const one = await run(folder, ['replay', keys[1]!, '--output', 'json'], variables)
  assert.deepEqual(JSON.parse(one.stdout), [{ key: keys[1], name: 'e1', outcome: 'stored', why: '' }])
  const all = await run(folder, ['replay'], variables)
  assert.equal(all.code, 0, all.stdout + all.stderr)
  assert.match(all.stdout, /4 stored, 0 already there, 0 refused, 0 not sent\.\n$/)
  const sent = ledger.calls.slice(before).flatMap(({ items }) => items)
  assert.deepEqual(new Set(sent.map(({ key }) => key)), new Set(keys))
  assert.equal(sent.length, 5)
  const payloads = someEvents(5).map(({ payload }) => payload)
  assert.deepEqual(new Set(sent.map(({ payload }) => payload)), new Set(payloads))
  assert.equal(ledger.calls.at(-1)!.headers.authorization, 'Bearer replay-key')
  assert.deepEqual(
    filesBelow(folder).map(name => name.split('/').at(-1)),
    ['ledger.json'],
  )
  assert.match((await run(folder, ['replay'], variables)).stdout, /^There is nothing to replay/)
})

test('outbox replay keeps what is refused again, and leaves the spool of a living process alone', async t => {
  const { folder, ledger } = await aSpool(t)
  const living = aSpooledOutlet(t, ledger, folder)
  await until(() => living.adopted.length === 1)
  const [event] = someEvents(1)
  assert.equal(await living.outlet.keep(event!), true)
  const other = await aLedger(t, refuse)
  const replayed = await run(folder, ['replay', '--to', other.url], { DEEDBOX_API_KEY: 'other-key' })
  assert.equal(replayed.code, 1)
  assert.match(replayed.stdout, /0 stored, 0 already there, 3 refused, 0 not sent\.\n$/)
  assert.ok(spooledText(folder).includes(event!.idempotencyKey))
  const { stdout } = await run(folder, ['list', '--output', 'json'])
  assert.deepEqual(
    JSON.parse(stdout).map((row: Record<string, unknown>) => [row.waiting, row.left, row.dead]),
    [[3, 0, 3]],
  )
})

test('outbox drop removes what is chosen, only when it is meant', async t => {
  const { folder, keys } = await aSpool(t)
  const unsure = await run(folder, ['drop'])
  assert.deepEqual([unsure.code, unsure.stdout], [2, ''])
  assert.match(unsure.stderr, /3 dead letters for good: add --yes/)
  assert.equal((await run(folder, ['drop', keys[2]!, '--yes'])).stdout, 'Removed 1 dead letter.\n')
  assert.equal((await run(folder, ['drop', 'nokey', '--yes'])).code, 2)
  assert.equal((await run(folder, ['drop', '--yes'])).stdout, 'Removed 2 dead letters.\n')
  const { stdout } = await run(folder, ['list'])
  assert.match(stdout, / 0 +2 +0\n$/)
  const nothing = await run(folder, ['drop', '--yes'])
  assert.match(
    nothing.stdout,
    /^Removed 0 dead letters\. 2 events left behind by dead processes: no dead letters/,
  )
})

test("ruling 25 IF-34 outbox does nothing with an option that is another action's: it would have chosen", async t => {
  const { folder } = await aSpool(t)
  for (const [action, ...args] of [
    ['drop', '--chest', 'sqlite:vars.db', '--yes'],
    ['drop', '--to', 'http://127.0.0.1:1', '--yes'],
    ['drop', '--dead', '--yes'],
    ['replay', '--yes'],
    ['replay', '--dead'],
    ['list', '--chest', 'sqlite:vars.db'],
    ['show', '--to', 'http://127.0.0.1:1'],
  ] as const) {
    const { code, stdout, stderr } = await run(folder, [action, ...args])
    const said = `deedbox: ${args[0]} is no option of "deedbox outbox ${action}".\n`
    assert.deepEqual([code, stdout, stderr], [2, '', said])
  }
  assert.match((await run(folder, ['list'])).stdout, / 0 +2 +3\n$/)
})

test('ruling 25 IF-34 outbox replay hands over no more at once than who takes it says', async t => {
  const { folder, keys } = await aSpool(t)
  const calls: number[] = []
  const client: LedgerClient = {
    batchSize: 2,
    appendBatch: async items => {
      calls.push(items.length)
      return items.map(() => ({ ok: true, duplicate: false }) as unknown as LedgerResult)
    },
  }
  const [group] = groupsIn(folder, undefined)
  const told: string[] = []
  const tell = ({ key }: Replayed): void => void told.push(key)
  assert.equal(await replay(group!, { taker: { name: 'two', client }, keys: undefined, tell }), true)
  assert.deepEqual([calls, told.toSorted()], [[2, 1, 2], keys.toSorted()])
})

test('outbox says that the spool folder does not exist', async t => {
  const missing = join(spoolFolder(t), 'missing')
  const option = await run(spoolFolder(t), ['list', '--spool', missing])
  assert.deepEqual(
    [option.code, option.stdout, option.stderr],
    [2, '', `deedbox: --spool: there is no folder ${missing}.\n`],
  )
  const variable = await run(missing, ['list', '--output', 'json'])
  assert.deepEqual(
    [variable.code, variable.stdout, variable.stderr],
    [0, '[]\n', `deedbox: there is no folder ${missing}, which DEEDBOX_SPOOL names.\n`],
  )
})

test('outbox replay goes to the ledger that --ledger names, and says what is for others', async t => {
  const { folder, ledger } = await aSpool(t)
  const other = await aLedger(t, refuse)
  const second = aSpooledOutlet(t, other, folder)
  second.outlet.offer(someEvents(1)[0]!)
  assert.equal(await second.outlet.flush(10_000), true)
  second.outlet.close()
  for (const each of [ledger, other]) each.follow(keepAll)
  const variables = { DEEDBOX_API_KEY: 'k', DEEDBOX_URL: other.url }
  const named = await run(folder, ['replay', '--ledger', ledger.url], variables)
  assert.match(
    named.stdout,
    /^Replayed to .+: 5 stored, .+, 0 not sent\. 1 event for other ledgers: not touched\.\n$/,
  )
  const { stdout } = await run(folder, ['list', '--output', 'json'])
  assert.deepEqual(
    new Map(JSON.parse(stdout).map((row: { ledger: string; dead: number }) => [row.ledger, row.dead])),
    new Map([
      [ledger.url, 0],
      [other.url, 1],
    ]),
  )
  const nothing = await run(folder, ['replay', '--ledger', ledger.url], variables)
  assert.equal(nothing.stdout, 'There is nothing to replay. 1 event for other ledgers: not touched.\n')
  assert.match((await run(folder, ['replay'], variables)).stdout, /1 stored, .+, 0 not sent\.\n$/)
})

test('ruling 23 outbox replay sends what waits for a ledger in a file to the server that it was moved to', async t => {
  const folder = spoolFolder(t)
  const { box } = aBox(t, {
    ledger: Object.assign(
      { appendBatch: () => Promise.reject(new Error('this ledger was moved')) },
      { about: { origin: 'orders.example/main' } },
    ),
    audit: { durability: 'spool', spool: { folder }, producer: false },
  })
  for (let i = 0; i < 3; i++) box.run({ name: 'job' }, () => box.event('job.done'))
  assert.equal(await box.close(20), false)
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
  const server = await aLedger(t, keepAll)
  const variables = { DEEDBOX_API_KEY: 'k' }
  const aimless = await run(folder, ['replay', '--ledger', 'orders.example/main'], variables)
  assert.match(aimless.stderr, /for a ledger "in this process: orders\.example\/main"\. Name one with --to/)
  const to = ['replay', '--ledger', 'orders.example/main', '--to', server.url]
  const replayed = await run(folder, to, variables)
  assert.equal(replayed.code, 0, replayed.stderr)
  assert.match(replayed.stdout, /: 3 stored, 0 already there, 0 refused, 0 not sent\.\n$/)
  assert.equal(server.stored.size, 3)
  assert.equal(spooledText(folder), '')
})

test('outbox is called wrongly: exit code 2 and a sentence', async t => {
  const folder = spoolFolder(t)
  for (const args of [[], ['empty'], ['list', 'key'], ['show'], ['list', '--output', 'xml'], ['--no-such']]) {
    const { code, stderr } = await run(folder, args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, /^deedbox: .+\.\n$/)
  }
  assert.match((await run(folder, ['--help'])).stdout, /^Usage: deedbox outbox/)
  assert.match((await run(folder, ['--no-such'])).stderr, / "deedbox outbox --help" shows the options\.\n$/)
  assert.match((await run(folder, ['show', 'abc'])).stderr, /"abc" is too short: 8 characters are the least/)
  assert.match((await run(folder, ['show', 'abcdefgh'])).stderr, /No dead letter has the key "abcdefgh"/)
})
