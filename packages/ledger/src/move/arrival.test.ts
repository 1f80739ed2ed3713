import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { soundLedgers } from '../backup/index.ts'
import { closeForGood } from '../store/index.ts'
import { smallLedger } from '../testing/tampered-ledger.ts'
import { tempFolder } from '../testing/temp-ledger.ts'
import { Arrival } from './arrival.ts'
import type { MovePlaces } from './install.ts'
import { movedLedger } from './wire.ts'

const moveId = '00000000-0000-4000-8000-000000000000'
const hex = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function placesOf(folder: string): MovePlaces {
  const at = (name: string) => join(folder, name)
  return { folder, database: at('ledger.db'), keysFolder: at('keys'), guardFolder: null }
}

/** Brings a ledger to a data folder, up to the word to install it. */
async function received(t: TestContext, arrival: Arrival): Promise<string> {
  const { folder } = await smallLedger(t)
  const database = join(folder, 'ledger.db')
  closeForGood(database)
  const sound = soundLedgers(
    database,
    () => ({}),
    () => undefined,
  )
  const file = readFileSync(database)
  const name = 'main.signing-key'
  const manifest = {
    v: 1,
    bytes: file.length,
    sha256: hex(file),
    ledgers: sound.map(movedLedger),
    keys: [{ name, text: readFileSync(join(folder, 'keys', name), 'utf8') }],
  }
  const { server } = await arrival.begin(moveId, Buffer.from(JSON.stringify(manifest)))
  await arrival.take(moveId, 0, hex(file), file)
  await arrival.check(moveId)
  while (arrival.status.state === 'checking') await turn()
  assert.equal(arrival.status.state, 'ready')
  assert(server !== undefined)
  return server
}

test('a server installs a move only under its own name, which outlives the process and every move', async t => {
  const places = placesOf(tempFolder(t))
  const first = new Arrival(places)
  assert.deepEqual(first.status, { state: 'awaiting' })
  const server = await received(t, first)
  const other = new Arrival(placesOf(tempFolder(t)))
  const another = await received(t, other)
  assert.notEqual(server, another)
  for (const wrong of ['', another]) {
    await assert.rejects(first.install(moveId, '0'.repeat(64), wrong), { code: 'move_conflict' })
  }
  assert.deepEqual(await first.cancel(moveId), { state: 'awaiting', server })
  assert.deepEqual(new Arrival(places).status, { state: 'awaiting', server })
  assert.equal(await received(t, first), server)
  const installed = await first.install(moveId, '0'.repeat(64), server)
  assert.deepEqual([installed.state, installed.server], ['installed', server])
  assert.deepEqual(new Arrival(places).status, installed)
})
