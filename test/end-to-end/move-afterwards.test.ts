import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { deedbox } from 'deedbox'
import { ledgerEnv, deedbox as run, stopLedger, tempFolder } from './ledger-process.ts'
import {
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

test('on one machine a moved file verifies and is backed up; when the server is lost, a new ledger is opened from it', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const { database, folder, size } = source
  const guard = join(folder, 'guard')
  const env = { ...process.env, DEEDBOX_GUARD: guard }
  const server = await awaitingServer(t, tempFolder(t), { DEEDBOX_GUARD: guard })
  const moving = startMove(t, source, server.url)
  assert.equal(await moving.ended, 0, moving.stderr())
  assert(!/has printed a first one/.test(moving.stdout()), moving.stdout())
  await printed(server, /without trusting it\./)
  assert.equal(await sendTo(server.url), 'written')

  const verified = await run(['verify', '--data', database, '--key', source.vkey], { env })
  assert.match(verified.stdout, /^ok\n/, verified.stdout)
  assert(verified.stdout.includes(`moved       to ${server.url}`), verified.stdout)
  assert(verified.stdout.includes(`guard has seen ${size + 2} entries`), verified.stdout)
  const backup = join(folder, 'backup')
  const backedUp = await run(['backup', backup, '--data', database, '--with-keys'], { env })
  assert.equal(backedUp.code, 0, backedUp.stderr)
  assert(existsSync(join(backup, 'keys', 'main.signing-key')))
  const old = await run(['verify', '--data', backup, '--key', source.vkey], { env })
  assert.match(old.stdout, /^truncated\n/, 'a copy without the mark is an old copy')

  await stopLedger(server)
  const recovered = await run(['recover', '--after-restore', '--data', database], { env })
  assert.equal(recovered.code, 0, recovered.stderr)
  assert(recovered.stdout.includes(`Next: openLedger('${database}')`), recovered.stdout)
  assert.equal(await writeTo(source), 'written')
})

test('where only the lost server has seen more, a moved file is recovered on the word of its operator', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const env = { ...process.env, DEEDBOX_GUARD: join(source.folder, 'guard') }
  const server = await awaitingServer(t, tempFolder(t))
  assert.equal(await startMove(t, source, server.url).ended, 0)
  await printed(server, /without trusting it\./)
  const recover = ['recover', '--after-restore', '--data', source.database]
  const refused = await run(recover, { env })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /was moved to http:\S+ [^\n]* If the server is lost for good/)
  assert.equal(await writeTo(source), 'ledger_moved')
  const recovered = await run([...recover, '--without-guard'], { env })
  assert.equal(recovered.code, 0, recovered.stderr)
  assert.match(recovered.stdout, /nothing shows how far it had gone/)
  assert.equal(await writeTo(source), 'written')
})

test('a key for the service is made on the file, and knows over HTTP again what it sent in the process', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const { database, folder } = source
  const guard = join(folder, 'guard')
  const ledger = await openLedger(database, { guard })
  const sent = { id: 1 }
  const options = { idempotencyKey: 'order-1' }
  const before = deedbox({ service: 'shop', ledger, log: { sink: quiet } })
  const { txId } = await before.send('order.placed', sent, options)
  await before.close()
  await ledger.close()
  const create = ['keys', 'create', '--name', 'shop', '--scopes', 'write', '--principal', 'in-process']
  const env = { ...process.env, DEEDBOX_GUARD: guard }
  const made = await run([...create, '--data', database], { env })
  assert.match(made.stdout, /^deed_live_\S{43}\n$/, made.stderr)
  const http = await run([...create, '--url', 'http://127.0.0.1:1'], {
    env: { ...env, DEEDBOX_API_KEY: ownKey },
  })
  assert.equal(http.code, 2)
  assert.match(http.stderr, /--principal goes with --data/)

  const server = await awaitingServer(t, tempFolder(t))
  assert.equal(await startMove(t, source, server.url).ended, 0)
  await printed(server, /without trusting it\./)
  const apiKey = made.stdout.trim()
  const after = deedbox({ service: 'shop', ledger: { url: server.url, apiKey }, log: { sink: quiet } })
  t.after(() => after.close())
  const again = await after.send('order.placed', sent, options)
  assert.deepEqual([again.txId, again.duplicate], [txId, true])
})

test('IP-08 what a service had not sent to the file goes to the server with the command that the move prints', async t => {
  const source = await sourceFile(tempFolder(t), 3)
  const { database, folder } = source
  const ledger = await openLedger(database, { guard: join(folder, 'guard') })
  const spool = join(folder, 'spool')
  // A stand-in, as a ledger in the process that does not answer until the process ends cannot be had otherwise.
  const silent = { about: ledger.about, appendBatch: () => new Promise<never>(() => undefined) }
  const box = deedbox({
    service: 'shop',
    ledger: silent as unknown as typeof ledger,
    audit: { spool: { folder: spool } },
    log: { sink: quiet },
  })
  await box.audited(async (id: number) => id, { eventName: 'order.placed' })(7)
  await box.flush(1)
  await box.close(1)
  await ledger.close()
  const server = await awaitingServer(t, tempFolder(t))
  const moving = startMove(t, source, server.url)
  assert.equal(await moving.ended, 0, moving.stderr())
  await printed(server, /without trusting it\./)
  const [, name = '', to = ''] =
    /deedbox outbox replay --ledger "([^"]+)" --to (\S+)\n/.exec(moving.stdout()) ?? []
  const env = ledgerEnv(folder, { DEEDBOX_SPOOL: spool, DEEDBOX_API_KEY: ownKey })
  const list = await run(['outbox', 'list', '--ledger', name], { env })
  assert.match(list.stdout, /shop +in this process: /, list.stdout + list.stderr)
  const replayed = await run(['outbox', 'replay', '--ledger', name, '--to', to], { env })
  assert.match(replayed.stdout, /: 1 stored, /, replayed.stdout + replayed.stderr)
  assert(!moving.stdout().includes(moveToken))
})
