import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Ledger, openLedger } from '@deedbox/ledger'
import { deedbox as run, tempFolder } from '../end-to-end/ledger-process.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const rounds = roundsOf(3, 200)

interface Sender {
  child: ChildProcess
  /** What it said was acknowledged. */
  acknowledged: string[]
  /** Resolves once it said so much more. */
  more(count: number): Promise<void>
}

function startSender(t: TestContext, database: string, guard: string, name: string): Sender {
  const file = join(import.meta.dirname, 'in-process-sender.ts')
  const args = ['--conditions=@deedbox/source', file, database, guard, name]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const acknowledged: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    // What a killed process had not finished to say was not said.
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    acknowledged.push(...lines)
  })
  const more = async (count: number): Promise<void> => {
    const wanted = acknowledged.length + count
    while (acknowledged.length < wanted) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      await once(child.stdout, 'data')
    }
  }
  return { child, acknowledged, more }
}

test(`F11 kill -9 of services with the ledger in their own process, two on one file, ${rounds} kills: every acknowledged event is there once, and verify is ok`, async t => {
  const folder = tempFolder(t)
  const database = join(folder, 'audit.db')
  const guard = join(folder, 'guard')
  const first = await openLedger(database, { guard })
  const vkey = join(folder, 'ledger.vkey')
  writeFileSync(vkey, `${first.verifierKey}\n`)
  await first.close()
  const acknowledged = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const senders = ['one', 'other'].map(name => startSender(t, database, guard, `${name}-${round}`))
    await Promise.all(senders.map(sender => sender.more(40 + ((round * 37) % 100))))
    const [killed, left] = senders
    const gone = once(killed!.child, 'close')
    killed!.child.kill('SIGKILL')
    await gone
    // The other one goes on as if nothing had happened.
    await left!.more(20)
    const stopped = once(left!.child, 'close')
    left!.child.kill('SIGKILL')
    await stopped
    for (const { acknowledged: said } of senders) for (const txId of said) acknowledged.add(txId)
    const env = { ...process.env, DEEDBOX_GUARD: guard }
    const verified = await run(['verify', '--data', database, '--key', vkey], { env })
    assert.equal(verified.stdout.split('\n')[0], 'ok', verified.stdout + verified.stderr)
    drillProgress('kill -9 in-process', round + 1, rounds)
  }
  const ledger = await openLedger(database, { guard })
  t.after(() => ledger.close())
  for (const txId of acknowledged) assert.equal(ledger.event(txId).tx_id, txId)
  const sent = sentEvents(ledger)
  assert.equal(sent.length, ledger.head().size)
  assert.equal(new Set(sent).size, sent.length, 'nothing is there twice')
  assert(ledger.head().size >= acknowledged.size)
  assert.match(ledger.receipt([...acknowledged][0]!), /^c2sp\.org\/tlog-proof@v1/)
  reportDrill({
    drill: 'kill -9, ledger in the service’s own process, two on one file',
    rounds,
    acknowledged: acknowledged.size,
    stored: ledger.head().size,
    refused: 0,
    verdicts: { ok: rounds },
  })
})

/** Who sent each event, and as which of his: what makes two of them the same. */
function sentEvents(ledger: Ledger): string[] {
  const sent: string[] = []
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page: ReturnType<Ledger['search']> = ledger.search({ order: 'asc', cursor, limit: 100 })
    for (const { meta, payload } of page.events) {
      const { writer, n } = JSON.parse(payload ?? '{}')
      sent.push(`${meta.service} ${writer} ${n}`)
    }
    cursor = page.nextCursor
  }
  return sent
}
