import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openTestLedger, testEvent } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { command, deedbox, tempFolder } from '../end-to-end/ledger-process.ts'

const events = 66_000
const rounds = process.env.DEEDBOX_LONG === '1' ? 20 : 2
const env = { ...process.env, DEEDBOX_GUARD: 'off' }

/** Starts a verification and ends it with a signal once its progress is on the disk; its exit, if that came first. */
async function endInTheMiddle(
  args: string[],
  progress: string,
  signal: NodeJS.Signals,
): Promise<{ ended: number | string; stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, [command, 'verify', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  const gone = once(child, 'close')
  const before = existsSync(progress) ? readFileSync(progress, 'utf8') : ''
  const watcher = watch(dirname(progress), () => {
    if (child.killed || !existsSync(progress) || readFileSync(progress, 'utf8') === before) return
    child.kill(signal)
  })
  const [code, by] = await gone
  watcher.close()
  return { ended: code ?? by, stderr }
}

test('P1 a verification that is killed or stopped in the middle goes on where it ended', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (let n = 0; n < events; n += 1000) {
    const key = (i: number) => ({ idempotencyKey: `k${n + i}` })
    await ledger.appendBatch(Array.from({ length: 1000 }, (_, i) => testEvent(n + i, key(i))))
  }
  await ledger.close()
  const key = ledger.verifierKey
  const args = (progress: string) => ['--data', folder, '--key', key, '--resume', progress]

  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    await t.test(signal, async () => {
      for (let round = 0, done = 0; done < rounds; round++) {
        assert(round < rounds * 10, 'the signal comes too late each time')
        const progress = join(folder, `${signal}-${round}`)
        const { ended, stderr } = await endInTheMiddle(args(progress), progress, signal)
        if (ended === 0) continue
        done++
        assert.equal(ended, signal === 'SIGINT' ? 130 : 'SIGKILL', stderr)
        if (signal === 'SIGINT')
          assert.match(
            stderr,
            /^deedbox: Stopped before the end, so there is no verdict\. The progress is in /,
          )
        const kept = JSON.parse(readFileSync(progress, 'utf8')) as { ledgers: [{ tree: { size: number } }] }
        const { tree } = kept.ledgers[0]
        assert(tree.size > 0 && tree.size < events)
        const other = await deedbox(['verify', '--data', folder, '--resume', progress], { env })
        assert.equal(other.code, 1)
        assert.match(
          other.stderr,
          /^deedbox: The progress of the earlier run does not fit: .*other verifier keys/,
        )
        const { code, stdout } = await deedbox(['verify', ...args(progress), '--json'], { env })
        const report = JSON.parse(stdout)
        assert.deepEqual([code, report.verdict, report.checked], [0, 'ok', events])
        assert.deepEqual([report.earlier[0].from, report.earlier[0].to], [0, tree.size])
        assert.equal(existsSync(progress), false, 'nothing is left behind')
      }
    })
  }
})
