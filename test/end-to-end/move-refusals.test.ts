import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { ledgerEnv, startLedger, stopLedger, tempFolder } from './ledger-process.ts'
import {
  aDoor,
  awaitingServer,
  moveToken,
  printed,
  type Running,
  sendTo,
  sourceFile,
  start,
  startMove,
  writeTo,
} from './moving.ts'

/** Ends a move that has to fail, and returns what it said. */
async function refused(moving: Running, code = 1): Promise<string> {
  assert.equal(await moving.ended, code, moving.stdout() + moving.stderr())
  assert(!(moving.stdout() + moving.stderr()).includes(moveToken))
  return moving.stderr()
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')

test('a move is refused before anything is touched: wrong token, no server, another ledger there, plain http, wrong calls', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const server = await awaitingServer(t, tempFolder(t))
  const wrong = startMove(t, source, server.url, [], { DEEDBOX_MOVE_TOKEN: 'not-the-token-at-all' })
  assert.match(await refused(wrong), /This is not the token of the server that awaits a ledger\.\n$/)
  const without = startMove(t, source, server.url, [], { DEEDBOX_MOVE_TOKEN: '' })
  assert.match(await refused(without, 2), /Set DEEDBOX_MOVE_TOKEN/)
  const plain = startMove(t, source, 'http://ledger.example')
  assert.match(await refused(plain, 2), /The signing key travels along[^\n]*--insecure sends it all the same/)
  const nothing = startMove(t, { ...source, database: join(source.folder, 'none.db') }, server.url)
  assert.match(await refused(nothing), /There is no ledger at/)
  const other = await startLedger(t, tempFolder(t))
  assert.match(
    await refused(startMove(t, source, other.url)),
    /awaits no ledger\. Start it in an empty data folder/,
  )
  assert(!existsSync(`${source.database}.moved`))
  assert.equal(await writeTo(source), 'written')
  assert.equal(await sendTo(server.url), 'awaiting_move')
})

test('a server awaits a ledger in an empty folder only, once, and with a token that is long enough', async t => {
  const folder = tempFolder(t)
  const env = ledgerEnv(folder, { DEEDBOX_MOVE_TOKEN: '' })
  const short = start(t, ['serve', '--await-move'], { ...env, DEEDBOX_MOVE_TOKEN: 'short' })
  assert.match(await refused(short), /DEEDBOX_MOVE_TOKEN has to be at least 16/)
  const first = start(t, ['serve', '--await-move'], env)
  const token = await printed(first, /DEEDBOX_MOVE_TOKEN=(\S{43}) /)
  assert.match(await refused(start(t, ['serve', '--await-move'], env)), /waits in \S+ already/)
  const url = await printed(first, /address +(http:\S+)\n/)
  const status = await fetch(`${url}/v1/move`, { headers: { authorization: `Bearer ${token}` } })
  assert.deepEqual(await status.json(), { ok: true, state: 'awaiting' })
  const large = await fetch(`${url}/v1/move/${'0'.repeat(36)}?offset=0&sha256=${hashOf('')}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${token}` },
    body: new Uint8Array(2_000_000),
  })
  assert.equal(large.status, 413)
  assert.equal(await stopLedger({ ...first, url }), 0)
  assert.deepEqual(readdirSync(join(folder, 'data')), [])
  const served = await startLedger(t, folder)
  await stopLedger(served)
  assert.match(
    await refused(start(t, ['serve', '--await-move'], env)),
    /brought into an empty data folder only/,
  )
})

test('a file that somebody uses, and one that does not verify, stay where they are, and nothing is sent', async t => {
  const server = await awaitingServer(t, tempFolder(t))
  const door = await aDoor(t, server.url)
  const seen: string[] = []
  door.before = (what, body) => {
    seen.push(what)
    return body
  }
  const source = await sourceFile(tempFolder(t), 3)
  const user = await openLedger(source.database, { guard: join(source.folder, 'guard') })
  assert.match(await refused(startMove(t, source, door.url)), /Stop every process that has this ledger open/)
  assert.equal(
    (await user.append({ payload: '1', meta: { type: 'info', event_name: 'a', service: 's' } })).status,
    'accepted',
  )
  await user.close()
  const db = new DatabaseSync(source.database)
  db.exec("UPDATE events SET service = 'another' WHERE position = (1 << 40) + 1")
  db.close()
  assert.match(
    await refused(startMove(t, source, door.url)),
    /does not verify: index_mismatch\.[^\n]* Nothing was moved; \S+ can be written to as before/,
  )
  assert.deepEqual(new Set(seen), new Set(['GET', 'DELETE']))
  assert.equal(await writeTo(source), 'written')
  assert.equal(await sendTo(server.url), 'awaiting_move')
})

test('a key of another ledger is refused on both sides', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const other = await sourceFile(tempFolder(t), 3)
  const server = await awaitingServer(t, tempFolder(t))
  const keys = ['--keys', `${other.database}.keys`]
  assert.match(await refused(startMove(t, source, server.url, keys)), /is not one of the ledger "main"/)
  assert.equal(await writeTo(source), 'written')
  const door = await aDoor(t, server.url)
  door.before = (what, body) => {
    if (what !== 'PUT') return body
    const manifest = JSON.parse(body.toString())
    manifest.keys[0].text = manifest.keys[0].text.replace(/.{10}\n$/, 'AAAAAAAAA=\n')
    return Buffer.from(JSON.stringify(manifest))
  }
  assert.match(
    await refused(startMove(t, source, door.url)),
    /The server refused the ledger: [^\n]*signing key/,
  )
  assert.equal(await writeTo(source), 'written')
})

test('a bit that flips on its way is noticed: a piece is sent again, and a file that differs is not installed', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const server = await awaitingServer(t, tempFolder(t))
  const door = await aDoor(t, server.url)
  door.before = (what, body) => (what === 'PATCH' ? flipped(body) : body)
  assert.match(
    await refused(startMove(t, source, door.url)),
    /The piece at 0 was changed on its way[^\n]* Nothing was moved/,
  )
  assert.equal(await writeTo(source), 'written')
  // The announced checksum itself is another one.
  door.before = (what, body) =>
    what === 'PUT'
      ? Buffer.from(
          body
            .toString()
            .replace(/"sha256":"."/, '"sha256":"0"')
            .replace(/"sha256":"../, '"sha256":"ab'),
        )
      : body
  assert.match(await refused(startMove(t, source, door.url)), /its SHA-256 is another/)
  assert.equal(await writeTo(source), 'written')
  let times = 0
  door.before = (what, body) => (what === 'PATCH' && times++ === 0 ? flipped(body) : body)
  const moving = startMove(t, source, door.url)
  assert.equal(await moving.ended, 0, moving.stderr())
  assert.equal(times, 2)
  assert.equal(await writeTo(source), 'ledger_moved')
})

function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body)
  copy[copy.length >> 1]! ^= 1
  return copy
}

test('a second move finds the first: to the same server it is done, to another it is refused', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const folder = tempFolder(t)
  const server = await awaitingServer(t, folder)
  assert.equal(await startMove(t, source, server.url).ended, 0)
  const again = startMove(t, source, server.url)
  assert.equal(await again.ended, 0)
  assert.match(again.stdout(), /^Moved already, to/)
  const elsewhere = await awaitingServer(t, tempFolder(t))
  assert.match(await refused(startMove(t, source, elsewhere.url)), /was moved to \S+, not to/)
  assert.match(await refused(startMove(t, source, server.url, ['--cancel'])), /There is nothing to give up/)
  // A service manager starts the server anew with the same options.
  await printed(server, /without trusting it\./)
  await stopLedger(server)
  const restarted = await awaitingServer(t, folder, { PORT: new URL(server.url).port })
  assert.equal(await sendTo(restarted.url), 'written')
  const next = await sourceFile(tempFolder(t), 3)
  assert.match(await refused(startMove(t, next, restarted.url)), /holds another ledger already/)
  assert.equal(await writeTo(next), 'written')
})
