import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import {
  aDoor,
  awaitingServer,
  type Door,
  printed,
  type Server,
  type SourceFile,
  sendTo,
  sourceFile,
  startMove,
  writeTo,
} from '../end-to-end/moving.ts'

/** Two servers on empty folders, with one token, behind one address that leads to the first. */
interface TwoServers {
  source: SourceFile
  first: Server
  second: Server
  door: Door
}

async function twoServers(t: TestContext): Promise<TwoServers> {
  const source = await sourceFile(tempFolder(t), 3)
  const first = await awaitingServer(t, tempFolder(t))
  const second = await awaitingServer(t, tempFolder(t))
  return { source, first, second, door: await aDoor(t, first.url) }
}

/** From the first answer of this step on, which is lost, the other server is at the address. */
function failOver({ door, second }: TwoServers, step: string, also: () => void = () => undefined): void {
  door.after = what => {
    if (what !== step) return undefined
    door.after = () => undefined
    door.target = second.url
    also()
    return 'cut'
  }
}

/** Runs every way out of an unknown outcome: none of them may open the file, nor bring it to the second server. */
async function assertNobodyKnows(t: TestContext, { source, second, door }: TwoServers): Promise<void> {
  for (const args of [[], ['--cancel']]) {
    const moving = startMove(t, source, door.url, args)
    assert.equal(await moving.ended, 1, moving.stdout())
    assert.match(moving.stderr(), /It is not known whether [^\n]* another server answers at this address/)
    assert.equal(await writeTo(source), 'ledger_moved')
  }
  assert.equal(await sendTo(second.url), 'awaiting_move')
}

test('a server that knows nothing of a move proves nothing: the answer to install is lost, and another one answers', async t => {
  const all = await twoServers(t)
  const { source, first, door } = all
  failOver(all, 'install')
  const moving = startMove(t, source, door.url)
  assert.equal(await moving.ended, 1, moving.stdout())
  assert.match(moving.stderr(), /It is not known whether [^\n]* another server answers at this address/)
  await printed(first, /without trusting it\./)
  assert.deepEqual([await sendTo(first.url), await writeTo(source)], ['written', 'ledger_moved'])
  await assertNobodyKnows(t, all)
  // Where the first one answers again, it is found out.
  door.target = first.url
  const again = startMove(t, source, door.url)
  assert.equal(await again.ended, 0, again.stderr())
  assert.equal(await writeTo(source), 'ledger_moved')
})

test('a client that was killed when it had asked to install brings the file to no other server', async t => {
  const all = await twoServers(t)
  const { source, first, door } = all
  let kill = () => undefined as undefined | boolean
  failOver(all, 'install', () => kill())
  const moving = startMove(t, source, door.url)
  kill = () => moving.child.kill('SIGKILL')
  await moving.ended
  await printed(first, /without trusting it\./)
  await assertNobodyKnows(t, all)
})

test('another server in the middle of a move ends it, and the file is as it was', async t => {
  const all = await twoServers(t)
  const { source, first, second, door } = all
  failOver(all, 'check')
  const moving = startMove(t, source, door.url)
  assert.equal(await moving.ended, 1, moving.stdout())
  assert.match(moving.stderr(), /Nothing was moved/)
  assert.equal(await writeTo(source), 'written')
  assert.deepEqual([await sendTo(first.url), await sendTo(second.url)], ['awaiting_move', 'awaiting_move'])
})

test('giving up whose answer is lost is found out by the next call', async t => {
  const all = await twoServers(t)
  const { source, first, door } = all
  let kill: () => unknown = () => undefined
  door.before = (what, body) => {
    if (what !== 'install') return body
    kill()
    return 'cut'
  }
  const moving = startMove(t, source, door.url)
  kill = () => moving.child.kill('SIGKILL')
  await moving.ended
  door.before = (_what, body) => body
  failOver(all, 'DELETE')
  const unknown = startMove(t, source, door.url, ['--cancel'])
  assert.equal(await unknown.ended, 1)
  assert.equal(await writeTo(source), 'ledger_moved')
  door.target = first.url
  const known = startMove(t, source, door.url, ['--cancel'])
  assert.equal(await known.ended, 0, known.stderr())
  assert.equal(await writeTo(source), 'written')
  assert.equal(await sendTo(first.url), 'awaiting_move')
})
