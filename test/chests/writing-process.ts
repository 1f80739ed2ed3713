import assert from 'node:assert/strict'
import { deedbox } from 'deedbox'
import type { Chest } from 'deedbox/chests'

/** Writes so many jobs as a service does, one variable each: `<prefix>-0` and so on. Resolves once all are stored. */
export async function writeJobs(chest: Chest, prefix: string, count: number): Promise<void> {
  const box = deedbox({
    service: 'writer',
    ledger: null,
    log: { sink: () => {} },
    processErrors: 'off',
    chests: [chest],
  })
  for (let n = 0; n < count; n++) {
    box.run({ name: 'job', requestId: `${prefix}-${n}` }, () => box.set({ n }))
    if (n % 10 === 0) await new Promise(setImmediate)
  }
  while (box.stats().chests[0]?.queued !== 0) await box.flush()
  const { delivered, dropped, rejected } = box.stats().chests[0] ?? {}
  assert.deepEqual({ delivered, dropped, rejected }, { delivered: count, dropped: 0, rejected: 0 })
  await box.close()
}
