import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { cannotInject, injecting } from './fault-injection.ts'
import { drillKey } from './load.ts'
import { reportDrill } from './report.ts'

const events = 5

test('P13 between the last write of an event to the log of the database and its 202 lies an fsync or fdatasync of it', {
  skip: cannotInject(),
}, async t => {
  const folder = tempFolder(t)
  const trace = join(folder, 'trace')
  const calls = 'pwrite64,fsync,fdatasync,write,writev'
  const ledger = await startLedger(
    t,
    folder,
    { DEEDBOX_BOOTSTRAP_KEY: drillKey },
    injecting(calls, undefined, trace),
  )
  for (let n = 0; n < events; n++) {
    const response = await fetch(`${ledger.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${drillKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ payload: `p${n}`, meta: { type: 'info', event_name: 'a', service: 's' } }),
    })
    assert.equal(response.status, 202)
    await response.text()
  }
  assert.equal(await stopLedger(ledger), 0)
  const lines = await finished(trace)
  const answers = lines.flatMap((line, n) => (line.includes('HTTP/1.1 202') ? [n] : []))
  assert.equal(answers.length, events)
  let from = 0
  for (const answer of answers) {
    const before = lines.slice(from, answer)
    const lastWrite = before.findLastIndex(line => /pwrite64\(\d+<[^>]*ledger\.db-wal>/.test(line))
    // Threads interleave: the end of a call stands in a line of its own if another thread's came in between.
    const synced = before.findLastIndex(line =>
      /f(data)?sync\((\d+<[^>]*ledger\.db-wal>\).*= 0$)|f(data)?sync resumed>.*= 0$/.test(line),
    )
    assert(lastWrite >= 0, before.join('\n'))
    assert(synced > lastWrite, before.slice(lastWrite).join('\n'))
    from = answer
  }
  reportDrill({
    drill: 'fsync between the log and the 202 (strace)',
    rounds: events,
    acknowledged: events,
    stored: events,
    refused: 0,
    verdicts: { synced: events },
  })
})

/** The tracer outlives the process by a moment: the trace is whole when it says how the process ended. */
async function finished(trace: string): Promise<string[]> {
  const watcher = watch(trace)
  try {
    for (;;) {
      const text = readFileSync(trace, 'utf8')
      if (/\+\+\+ exited with 0 \+\+\+\n$/.test(text)) return text.split('\n')
      await once(watcher, 'change')
    }
  } finally {
    watcher.close()
  }
}
