import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openNote, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import {
  assertVerdict,
  deedbox,
  type LedgerProcess,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { drillKey, Load, storedEvents } from './load.ts'
import { reportDrill } from './report.ts'

const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }

async function refusal(folder: string, args: string[], more: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await deedbox(args, { env: ledgerEnv(folder, more) })
  assert.notEqual(code, 0, stdout)
  assert.match(stderr, /^deedbox: [^\n]+\n$/, 'one sentence, no stack trace')
  return stderr
}

async function succeeded(folder: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await deedbox(args, { env: ledgerEnv(folder) })
  assert.equal(code, 0, stderr)
  return stdout
}

/** A ledger under load, backed up in the middle of it, and stopped. */
async function backedUp(
  t: TestContext,
  more: string[] = [],
): Promise<{ folder: string; key: string; load: Load }> {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, env)
  const load = new Load([ledger.url], 'o')
  const stop = load.start(4)
  await load.acknowledge(100)
  const text = await succeeded(folder, ['backup', join(folder, 'backup'), ...more])
  assert.match(text, /^A verified backup, in /)
  await load.acknowledge(100)
  await stop()
  await stopLedger(ledger)
  return { folder, key: printedKey(ledger), load }
}

test('P22 a backup of a running ledger is one verified state, and nobody else can read it', async t => {
  const { folder, key } = await backedUp(t)
  const backup = join(folder, 'backup')
  assert.deepEqual(readdirSync(backup).sort(), ['checkpoint', 'ledger.db', 'manifest.json', 'vkey'])
  assert.equal(statSync(backup).mode & 0o777, 0o700)
  for (const name of readdirSync(backup)) assert.equal(statSync(join(backup, name)).mode & 0o777, 0o600, name)
  const [, size, root] = readFileSync(join(backup, 'checkpoint'), 'utf8').split('\n')
  const manifest = JSON.parse(readFileSync(join(backup, 'manifest.json'), 'utf8'))
  assert.deepEqual(
    [manifest.ledgers[0].size, manifest.ledgers[0].root, manifest.keys],
    [Number(size), root, false],
  )
  assert.equal(readFileSync(join(backup, 'vkey'), 'utf8'), `${key}\n`)
  const checked = await deedbox(['verify', '--data', backup, '--key', join(backup, 'vkey')], {
    env: ledgerEnv(folder, { DEEDBOX_GUARD: 'off' }),
  })
  assert.match(checked.stdout, /^ok\n/)
  assert.match(await refusal(folder, ['backup', backup]), /is there already/)
})

test('P22 F10 an old backup under the guard: rolled_back names the command, and both ledgers verify after it', async t => {
  const { folder, key, load } = await backedUp(t, ['--with-keys'])
  const data = join(folder, 'data')
  assert.equal(statSync(join(folder, 'backup', 'keys', 'main.signing-key')).mode & 0o777, 0o600)
  assert.match(
    await refusal(folder, ['restore', join(folder, 'backup'), '--data', data]),
    /nothing is written over/,
  )
  renameSync(data, join(folder, 'lost'))
  mkdirSync(join(data, 'keys'), { recursive: true })
  const said = await succeeded(folder, ['restore', join(folder, 'backup'), '--data', data])
  assert.match(said, /will refuse with rolled_back[\s\S]*deedbox recover --after-restore --data /)

  const refused = await refusal(folder, ['serve'], env)
  assert.match(refused, /an old copy was restored.*deedbox recover --after-restore --data/)
  assert.match(await refusal(folder, ['recover']), /Say --after-restore/)
  const text = await succeeded(folder, ['recover', '--after-restore'])
  assert.match(text, /signed with the old key/)

  const ledger = await startLedger(t, folder, env)
  const newKey = printedKey(ledger)
  assert.notEqual(newKey, key)
  const first = await firstLeaf(ledger)
  const [, oldSize, oldRoot] = readFileSync(join(folder, 'backup', 'checkpoint'), 'utf8').split('\n')
  assert.deepEqual([first.old_size, first.old_root, first.verifier_key], [Number(oldSize), oldRoot, newKey])
  assert.equal(first.old_checkpoint, readFileSync(join(folder, 'backup', 'checkpoint'), 'utf8'))
  assert(first.seen.size >= load.acknowledged.size && first.seen.size > first.old_size)
  const handover = openNote(nodeCrypto, first.handover, [parseVerifierKey(nodeCrypto.sha256, key)])
  assert(handover.text.endsWith(`\n${newKey}\n`))
  // The API key of the old ledger writes to the new one, and what the old copy lacked can be sent again.
  const again = new Load([ledger.url], 'n')
  const stop = again.start(2)
  await again.acknowledge(20)
  await stop()
  assert((await storedEvents(ledger.url)).size >= 20)
  await stopLedger(ledger)
  await assertVerdict(folder, newKey, 'ok', ledgerEnv(folder))

  const closed = join(data, first.closed_file)
  assert.equal(statSync(closed).mode & 0o777, 0o400)
  const evidence = await deedbox(['verify', '--data', closed, '--key', key], {
    env: ledgerEnv(folder, { DEEDBOX_GUARD: 'off' }),
  })
  assert.match(evidence.stdout, /^ok\n/)
  const guarded = await deedbox(['verify', '--data', closed, '--key', key], { env: ledgerEnv(folder) })
  assert.match(guarded.stdout, /^truncated\n/)
  assert.match(await refusal(folder, ['recover', '--after-restore']), /Nothing is to be recovered/)
  reportDrill({
    drill: 'old backup restored under its guard, recovered',
    rounds: 1,
    acknowledged: load.acknowledged.size,
    stored: Number(oldSize),
    refused: 1,
    verdicts: { rolled_back: 1, ok: 2 },
  })
})

async function firstLeaf(ledger: LedgerProcess): Promise<{
  old_size: number
  old_root: string
  old_checkpoint: string
  seen: { size: number }
  closed_file: string
  verifier_key: string
  handover: string
}> {
  const response = await fetch(`${ledger.url}/v1/events?order=asc&limit=1`, {
    headers: { authorization: `Bearer ${drillKey}` },
  })
  const { events } = (await response.json()) as {
    events: { payload: string; kind: string; meta: { event_name: string } }[]
  }
  assert.equal(events[0]?.kind, 'admin')
  assert.equal(events[0]?.meta.event_name, 'deedbox.recovered')
  return JSON.parse(events[0]?.payload ?? '')
}
