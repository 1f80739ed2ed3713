import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertVerdict, ledgerEnv, deedbox as run, tempFolder } from '../end-to-end/ledger-process.ts'
import {
  aDoor,
  awaitingServer,
  copyOf,
  type Door,
  printed,
  type Server,
  type SourceFile,
  sendTo,
  sourceFile,
  startMove,
  writeTo,
} from '../end-to-end/moving.ts'

/** The file has more than one piece, so that it can be cut off between two. */
const events = 600

type Victim = 'client' | 'server' | 'both'

/** At which request of a move, before it gets through or before its answer goes back, and who dies. */
const kills: { at: string; when: 'before' | 'after'; victim: Victim }[] = [
  { at: 'PUT', when: 'after', victim: 'client' },
  { at: 'PATCH', when: 'after', victim: 'both' },
  { at: 'check', when: 'after', victim: 'server' },
  { at: 'install', when: 'before', victim: 'client' },
  { at: 'install', when: 'after', victim: 'client' },
  { at: 'install', when: 'before', victim: 'server' },
  { at: 'install', when: 'after', victim: 'both' },
]

test('kill -9 of client, server or both at each step of a move: never two that take events, and a repetition finishes', async t => {
  const original = await sourceFile(tempFolder(t), events)
  for (const { at, when, victim } of kills) {
    await t.test(`${victim} killed ${when} ${at}`, t => oneKill(t, original, at, when, victim))
  }
})

async function oneKill(
  t: TestContext,
  original: SourceFile,
  at: string,
  when: 'before' | 'after',
  victim: Victim,
): Promise<void> {
  const source = copyOf(original, join(tempFolder(t), 'source'))
  const folder = tempFolder(t)
  let server = await awaitingServer(t, folder)
  const door = await aDoor(t, server.url)
  const moving = startMove(t, source, door.url)
  const kill = async (): Promise<'cut'> => {
    door.before = (_what, body) => body
    door.after = () => undefined
    if (victim !== 'server') moving.child.kill('SIGKILL')
    if (victim !== 'client') server.child.kill('SIGKILL')
    await Promise.all([
      victim === 'server' ? undefined : moving.ended,
      victim === 'client' ? undefined : server.ended,
    ])
    return 'cut'
  }
  if (when === 'before') door.before = (what, body) => (what === at ? kill() : body)
  else door.after = what => (what === at ? kill() : undefined)
  const code = await moving.ended
  await assertOneHistory(source, server)

  if (victim !== 'client') {
    server = await awaitingServer(t, folder)
    door.target = server.url
    await assertOneHistory(source, server)
  }
  if (code !== 0) {
    const again = startMove(t, source, door.url)
    assert.equal(await again.ended, 0, again.stderr())
  }
  await printed(server, /without trusting it\./)
  assert.equal(await writeTo(source), 'ledger_moved')
  assert.equal(await sendTo(server.url), 'written')
  assert(!existsSync(join(folder, 'data', 'arriving')))
  await assertVerdict(folder, source.vkey, 'ok', ledgerEnv(folder))
  const receipt = await run(['verify', source.receipt, '--key', source.vkey])
  assert.equal(receipt.stdout.split('\n')[0], 'ok')
  server.child.kill('SIGKILL')
  await server.ended
}

/** Tries to write to both. What is written to a source shows at its end, when both sides have to be the same. */
async function assertOneHistory(source: SourceFile, server: Server): Promise<void> {
  const taken = [await writeTo(source), await sendTo(server.url)]
  assert(taken.filter(each => each === 'written').length <= 1, taken.join())
}

test('a move is given up while it is certain that the server has not got it; after that only the server can say', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const server = await awaitingServer(t, tempFolder(t))
  const door = await aDoor(t, server.url)
  const stopAt = async (step: string, when: 'before' | 'after') => {
    const moving = startMove(t, source, door.url)
    const kill = async (): Promise<'cut'> => {
      moving.child.kill('SIGKILL')
      await moving.ended
      return 'cut'
    }
    door[when] = (async (what: string, body: Buffer) => (what === step ? kill() : body)) as Door['before'] &
      Door['after']
    await moving.ended
    door.before = (_what, body) => body
    door.after = () => undefined
  }
  // Killed before the server was asked to install: no word of the server is needed.
  await stopAt('check', 'before')
  assert.equal(await writeTo(source), 'ledger_moved')
  const given = startMove(t, source, door.url, ['--cancel'], { DEEDBOX_MOVE_TOKEN: '' })
  assert.equal(await given.ended, 0, given.stderr())
  assert.equal(await writeTo(source), 'written')

  // Killed when it had been asked: while the server cannot be reached, nobody knows.
  await stopAt('install', 'before')
  const { target } = door
  door.target = 'http://127.0.0.1:1'
  for (const args of [['--cancel'], []]) {
    const unknown = startMove(t, source, door.url, args)
    assert.equal(await unknown.ended, 1)
    assert.match(
      unknown.stderr(),
      args.length > 0 ? /It is not known whether the server/ : /cannot be reached/,
    )
    assert.equal(await writeTo(source), 'ledger_moved')
  }
  door.target = target
  const known = startMove(t, source, door.url, ['--cancel'])
  assert.equal(await known.ended, 0, known.stderr())
  assert.equal(await writeTo(source), 'written')
  assert.equal(await sendTo(server.url), 'awaiting_move')

  // Killed when it was installed: it cannot be given up any more.
  await stopAt('install', 'after')
  await printed(server, /without trusting it\./)
  assert.equal(await writeTo(source), 'ledger_moved')
  const late = startMove(t, source, door.url, ['--cancel'])
  assert.equal(await late.ended, 1)
  assert.match(late.stderr(), /which has the ledger now/)
  assert.match((await startMove(t, source, door.url).ended).toString(), /^0$/)
  assert.equal(await sendTo(server.url), 'written')
})
