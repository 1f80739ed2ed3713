import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { deedbox } from 'deedbox'
import { ledgerEnv, deedbox as run, stopLedger, tempFolder } from './ledger-process.ts'
import { awaitingServer, moveToken, printed, sendTo, startMove, writeTo } from './moving.ts'

const quiet = () => undefined

test('a ledger moves to a server with origin, key, tree, API keys and raw ledgers; receipts and checkpoints stay true', async t => {
  const folder = tempFolder(t)
  const database = join(folder, 'audit.db')
  const guard = join(folder, 'guard')
  const ledger = await openLedger(database, { guard })
  const apiKey = 'deed_live_a-key-from-before-the-move'
  await ledger.createApiKey(apiKey, 'shop', ['write', 'read'], { principal: 'in-process' })
  await ledger.createLedger({ kind: 'raw', name: 'certs' })
  await (await ledger.rawLedger('certs')).add(Buffer.from('a certificate'))
  const box = deedbox({ service: 'shop', ledger, log: { sink: quiet } })
  const { txId } = await box.send('order.placed', { id: 1 }, { idempotencyKey: 'order-1' })
  await box.close()
  const receipt = join(folder, 'receipt.tlog-proof')
  const checkpoint = join(folder, 'old.checkpoint')
  const vkey = join(folder, 'ledger.vkey')
  writeFileSync(receipt, ledger.receipt(txId ?? ''))
  writeFileSync(checkpoint, ledger.head().note)
  writeFileSync(vkey, `${ledger.verifierKey}\n`)
  const { size } = ledger.head()
  const { origin } = ledger.about
  await ledger.close()
  const source = { folder, database, receipt, checkpoint, vkey, size }

  const server = await awaitingServer(t, tempFolder(t))
  assert.equal(await sendTo(server.url), 'awaiting_move')
  const moved = startMove(t, source, server.url)
  assert.equal(await moved.ended, 0, moved.stderr())
  assert.match(moved.stdout(), new RegExp(`^Moved, to ${server.url}\n[\\s\\S]*entries  ${size}\n`))
  assert(!moved.stdout().includes(moveToken))
  await printed(server, /without trusting it\./)

  // The source has ended as a ledger that is written to, and says where it went; it can still be read.
  assert.equal(await writeTo(source), 'ledger_moved')
  await assert.rejects(openLedger(database, { guard }), { message: new RegExp(`was moved to ${server.url}`) })
  const lines: string[] = []
  const late = deedbox({
    service: 'shop',
    ledger: openLedger(database, { guard }),
    log: { sink: line => void lines.push(String(line)) },
  })
  await assert.rejects(late.send('order.placed', { id: 0 }, { idempotencyKey: 'order-0' }))
  await late.close()
  assert.match(lines.join(''), new RegExp(`The ledger could not be opened[^\n]*was moved to ${server.url}`))
  assert.equal((await run(['verify', receipt, '--key', vkey])).stdout.split('\n')[0], 'ok')

  // The service goes on with the API key and the idempotency keys that it had.
  const after = deedbox({ service: 'shop', ledger: { url: server.url, apiKey }, log: { sink: quiet } })
  t.after(() => after.close())
  const again = await after.send('order.placed', { id: 1 }, { idempotencyKey: 'order-1' })
  assert.deepEqual([again.txId, again.duplicate], [txId, true])
  const next = await after.send('order.placed', { id: 2 })
  assert.equal(next.index, size + 1, 'its number is the next but the one that made the bootstrap key')
  assert.equal(await stopLedger(server), 0)

  const data = join(server.folder, 'data')
  const env = ledgerEnv(server.folder)
  const verified = await run(
    ['verify', '--data', data, '--ledger', 'main', '--key', vkey, '--checkpoint', checkpoint],
    { env },
  )
  assert.equal(verified.stdout.split('\n')[0], 'ok', verified.stdout + verified.stderr)
  assert(verified.stdout.includes(origin))
  const certs = await run(['verify', '--data', data, '--ledger', 'certs'], { env })
  assert.match(certs.stdout, /^ok_unpinned\n[\s\S]*re-read +1 of 1/)
  assert.equal(statSync(join(data, 'keys', 'certs.signing-key')).mode & 0o777, 0o600)
  assert(!existsSync(join(data, 'arriving')))
})
