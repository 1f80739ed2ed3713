import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { deedbox } from 'deedbox'
import { ledgerEnv, deedbox as run, startLedger, stopLedger, tempFolder } from './ledger-process.ts'
import {
  aDoor,
  awaitingServer,
  moveToken,
  ownKey,
  printed,
  sendTo,
  sourceFile,
  startMove,
  writeTo,
} from './moving.ts'

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

test('the data folder of a server moves too, with the key from DEEDBOX_SIGNING_KEY and the token from a file', async t => {
  const folder = tempFolder(t)
  const old = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: ownKey })
  assert.equal(await sendTo(old.url), 'written')
  const data = join(folder, 'data')
  const server = await awaitingServer(t, tempFolder(t))
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, `${moveToken}\n`)
  const args = ['move', data, '--to', server.url, '--token-file', tokenFile]
  const running = await run(args, { env: ledgerEnv(folder) })
  assert.equal(running.code, 1)
  assert.match(running.stderr, /Stop every process that has this ledger open/)
  assert.equal(await sendTo(old.url), 'written')
  await stopLedger(old)

  const keyFile = join(data, 'keys', 'main.signing-key')
  const key = readFileSync(keyFile, 'utf8')
  rmSync(keyFile)
  const without = await run(args, { env: ledgerEnv(folder) })
  assert.match(without.stderr, /its signing key is not[^\n]* Nothing was moved/)
  const moved = await run([...args, '--json'], { env: ledgerEnv(folder, { DEEDBOX_SIGNING_KEY: key }) })
  assert.equal(moved.code, 0, moved.stderr)
  const { ledgers, before } = JSON.parse(moved.stdout)
  assert.deepEqual([ledgers[0].size, before], [3, false])
  await printed(server, /without trusting it\./)
  assert.equal(await sendTo(server.url), 'written')
  assert.equal(readFileSync(join(server.folder, 'data', 'keys', 'main.signing-key'), 'utf8'), key)
  const again = await run(['serve'], { env: ledgerEnv(folder, { DEEDBOX_SIGNING_KEY: key }) })
  assert.equal(again.code, 1)
  assert.match(again.stderr, /was moved to/)
})

test('of two moves of one file at once one goes on and the other is refused', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const server = await awaitingServer(t, tempFolder(t))
  const door = await aDoor(t, server.url)
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  door.before = async (what, body) => {
    if (what !== 'PUT') return body
    reached.resolve()
    await go.promise
    return body
  }
  const first = startMove(t, source, door.url)
  await reached.promise
  for (const args of [[], ['--cancel']]) {
    const second = startMove(t, source, door.url, args)
    assert.equal(await second.ended, 1)
    assert.match(second.stderr(), /Another "deedbox move" is at work on/)
  }
  go.resolve()
  assert.equal(await first.ended, 0, first.stderr())
  assert.equal(await writeTo(source), 'ledger_moved')
})
