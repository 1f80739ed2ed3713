import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { startService } from './audited-service.ts'
import { Callers } from './callers.ts'
import { drillKey } from './load.ts'
import { reportDrill, roundsOf } from './report.ts'
import { cannotMount, fill, onSmallDisk, smallDisk } from './small-disk.ts'
import { missing, producers, storedOrders } from './stored-orders.ts'

const disk = smallDisk()

if (disk === undefined) {
  test('ruling 23 the spool on a full disk, of 12 MB of its own', { skip: cannotMount() }, async t => {
    const folder = tempFolder(t)
    const inner = await onSmallDisk(import.meta.filename, folder)
    assert.match(inner.stdout, /pass 1\b/)
  })
} else {
  test('IF-33 IF-35 ruling 23 spool disk full, ledger gone: the service goes on, drops are counted and seen as gaps, none doubled', async t => {
    const folder = tempFolder(t)
    const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }
    const first = await startLedger(t, folder, env)
    const capacity = 400
    const service = await startService(t, {
      ledger: first.url,
      spool: join(disk, 'spool'),
      audit: { capacity, backoff: { base: 50, cap: 500 } },
    })
    const callers = new Callers(service.url, 2)
    const stop = callers.start(8)
    await callers.answers(200)
    assert.equal(await stopLedger(first), 0)
    fill(disk)
    const wanted = roundsOf(300, 5_000)
    while ((await service.stats()).dropped < wanted) await callers.answers(50)
    const full = await service.stats()
    assert.match(service.stderr(), /audit_dropped/)
    rmSync(join(disk, 'filler'))
    await callers.answers(200)
    const ledger = await startLedger(t, folder, { ...env, PORT: new URL(first.url).port })
    await callers.answers(200)
    await stop()
    for (;;) {
      const { queued, spooled } = await service.stats()
      if (queued === 0 && spooled === 0) break
      await pause(20)
    }
    const { dropped } = await service.stats()
    assert(dropped >= full.dropped)
    await service.end('SIGTERM')
    const stored = await storedOrders(ledger.url)
    const lost = missing(callers, stored)
    assert.equal(callers.withStatus(200).length, callers.answered.size, 'the service answered all')
    assert.equal(lost.length, dropped, 'what is not there was counted, and nothing else')
    const gaps = (await producers(ledger.url)).reduce((sum, producer) => sum + producer.missing, 0)
    assert.equal(gaps, dropped, 'and the ledger knows how many it misses')
    reportDrill({
      drill: 'spool on a full disk',
      rounds: 1,
      acknowledged: callers.answered.size,
      stored: stored.byRequest.size,
      refused: dropped,
      verdicts: { 'numbers missing': gaps },
    })
    await stopLedger(ledger)
  })
}
