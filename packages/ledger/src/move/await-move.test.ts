import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { tempFolder } from '../testing/temp-ledger.ts'
import { awaitMove } from './await-move.ts'

const token = 'the-token-of-this-test'
const moveId = '00000000-0000-4000-8000-000000000000'

/** A server that waits, in this process, and its folder. */
async function waiting(t: TestContext) {
  const folder = tempFolder(t)
  const stop = new AbortController()
  const faults: unknown[] = []
  const listening = Promise.withResolvers<number>()
  const ended = awaitMove({
    places: {
      folder,
      database: join(folder, 'ledger.db'),
      keysFolder: join(folder, 'keys'),
      guardFolder: null,
    },
    host: '127.0.0.1',
    port: 0,
    token,
    onListening: listening.resolve,
    onFault: error => faults.push(error),
    signal: stop.signal,
  })
  const port = await listening.promise
  t.after(() => stop.abort())
  const call = async (method: string, path: string, body?: string, authorization = `Bearer ${token}`) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization },
      ...(body === undefined ? {} : { body }),
    })
    const answer = (await response.json()) as { reason?: string; state?: string }
    return `${response.status} ${answer.reason ?? answer.state}`
  }
  return { folder, port, call, stop, ended, faults }
}

function manifest(more: object = {}): string {
  const ledgers = [{ name: 'main', origin: 'o.example', size: 1, root: '' }]
  return JSON.stringify({ v: 1, bytes: 3, sha256: '0'.repeat(64), ledgers, keys: [], ...more })
}

test('a server that awaits a ledger refuses everything else, and what is no move, and keeps nothing of it', async t => {
  const { call, folder } = await waiting(t)
  const move = `/v1/move/${moveId}`
  assert.equal(await call('GET', '/'), '503 awaiting_move')
  assert.equal(await call('POST', '/v1/events', '{}'), '503 awaiting_move')
  assert.equal(await call('GET', '/__lbheartbeat__'), '503 awaiting_move')
  for (const wrong of ['', 'Bearer', 'Bearer x', `Basic ${token}`, `Bearer ${token}x`]) {
    assert.equal(await call('GET', '/v1/move', undefined, wrong), '401 invalid_move_token', wrong)
    assert.equal(await call('PUT', move, manifest(), wrong), '401 invalid_move_token', wrong)
  }
  assert.equal(await call('PUT', '/v1/move/..%2f..%2fetc', manifest()), '404 unknown_route')
  assert.equal(await call('PUT', move, '{'), '400 malformed_json')
  const bad = [
    { v: 2 },
    { bytes: -1 },
    { sha256: 'x' },
    { ledgers: [] },
    { keys: {} },
    ...['../main.signing-key', 'main.signing-key/x', '.signing-key', 'main'].map(name => ({
      keys: [{ name, text: '' }],
    })),
  ]
  for (const more of bad) {
    assert.equal(await call('PUT', move, manifest(more)), '400 malformed_request', JSON.stringify(more))
  }
  for (const other of ['null', '3', '[]', '""'])
    assert.equal(await call('PUT', move, other), '400 malformed_request')
  assert.equal(await call('PATCH', `${move}?offset=0&sha256=x`, 'abc'), '409 move_conflict')
  assert.equal(await call('POST', `${move}?do=check`), '409 move_conflict')
  assert.equal(await call('POST', `${move}?do=install`), '409 move_conflict')
  assert.equal(await call('DELETE', move), '200 awaiting')
  assert.deepEqual(readdirSync(folder), [])
})

test('what arrives is bounded by what was announced, installed only when it was checked, and gone when it is given up', async t => {
  const { call, folder, port, stop, ended } = await waiting(t)
  const move = `/v1/move/${moveId}`
  assert.equal(await call('PUT', move, manifest()), '200 receiving')
  assert.equal(await call('PATCH', `${move}?offset=0&sha256=x`, 'abc'), '422 checksum_mismatch')
  const hash = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(await call('POST', `${move}?do=check`), '409 move_conflict')
  // A body that is cut off is not taken.
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `PATCH ${move}?offset=0&sha256=${hash} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 3\r\n\r\nab`,
  )
  await once(socket, 'ready')
  socket.destroy()
  assert.equal(await call('PATCH', `${move}?offset=0&sha256=${hash}`, 'abc'), '200 receiving')
  assert.equal(await call('PATCH', `${move}?offset=0&sha256=${hash}`, 'abc'), '200 receiving')
  assert.equal(await call('PATCH', `${move}?offset=3&sha256=${hash}`, 'abc'), '409 move_conflict')
  assert.equal(await call('POST', `${move}?do=install`), '409 move_conflict')
  assert.equal(await call('POST', `${move}?do=check`), '200 checking')
  let state = '200 checking'
  while (state === '200 checking') state = await call('GET', '/v1/move')
  assert.equal(state, '200 checksum_mismatch', 'the status of a refused one is its reason')
  assert.equal(await call('POST', `${move}?do=install`), '409 move_conflict')
  assert.equal(await call('DELETE', move), '200 awaiting')
  assert.deepEqual(readdirSync(join(folder, 'arriving')), ['server'], 'who it is, and nothing of the move')
  stop.abort()
  assert.equal(await ended, undefined)
})

test('what a server cannot install is refused before a byte is sent, the cause is told to its operator, and no key stays', async t => {
  const { call, folder, faults } = await waiting(t)
  const keys = [{ name: 'main.signing-key', text: 'a key' }]
  writeFileSync(join(folder, 'keys'), 'no folder')
  const move = `/v1/move/${moveId}`
  assert.equal(await call('PUT', move, manifest({ keys })), '503 storage_failed')
  assert.match(String((faults[0] as Error).cause), /ENOTDIR/)
  assert.deepEqual(readdirSync(join(folder, 'arriving')), ['server'])
  rmSync(join(folder, 'keys'))
  mkdirSync(join(folder, 'keys'))
  writeFileSync(join(folder, 'keys', 'main.signing-key'), 'the key of another ledger')
  assert.equal(await call('PUT', move, manifest({ keys })), '409 ledger_exists')
  assert.equal(readFileSync(join(folder, 'keys', 'main.signing-key'), 'utf8'), 'the key of another ledger')
  // Nobody's own fault: the folder itself cannot be made.
  rmSync(join(folder, 'arriving'), { recursive: true })
  writeFileSync(join(folder, 'arriving'), 'no folder')
  assert.equal(await call('PUT', move, manifest({ keys })), '500 internal_error')
  assert.match(String(faults.at(-1)), /ENOTDIR/)
})
