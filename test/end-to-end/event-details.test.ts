import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { deedbox, type EventDetails } from 'deedbox'
import fc from 'fast-check'
import { tempFolder } from './ledger-process.ts'

const text = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 8 }), fc.integer({ min: 0, max: 800 }))
  .map(([part, times]) => part.repeat(times))
const anything = fc.oneof(text, fc.integer(), fc.anything({ maxDepth: 3 }))
const party = fc.oneof(anything, fc.record({ id: text, type: anything, name: text }, { requiredKeys: [] }))
const list = (of: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(anything, fc.array(of, { maxLength: 70 }))
const change = fc.record({ path: text, before: anything, after: anything }, { requiredKeys: ['path'] })
const details = fc.record(
  {
    actor: party,
    on_behalf_of: party,
    targets: list(party),
    outcome: anything,
    changes: list(fc.oneof(anything, change)),
    reason: anything,
    subject: anything,
    correlation_id: anything,
    trace_id: anything,
    immutable_trail: anything,
    occurred_at: fc.oneof(anything, fc.date().map(String), fc.constant('2026-02-31T25:00:00Z')),
    producer: anything,
    own: anything,
  },
  { requiredKeys: [] },
)

test('IF-36 whatever an automatic event is described with, the ledger takes it', async t => {
  const ledger = await openLedger(join(tempFolder(t), 'audit.db'), { inline: true })
  t.after(() => ledger.close())
  const box = deedbox({
    service: 'tests',
    ledger,
    log: { sink: { write: () => undefined } },
    flushOnSignal: false,
  })
  t.after(() => box.close())
  await fc.assert(
    fc.asyncProperty(fc.array(details, { minLength: 5, maxLength: 5 }), async described => {
      for (const each of described)
        box.run({ name: 'job' }, () => box.event('job.done', each as EventDetails))
      assert.equal(await box.flush(), true)
      assert.equal(box.stats().audit.rejected, 0, 'none is refused')
    }),
    { numRuns: 60 },
  )
  assert.equal(box.stats().audit.delivered, 300)
})
