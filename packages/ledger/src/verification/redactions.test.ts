import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appendErasure, takeAway } from '../testing/erased-ledger.ts'
import { smallLedger, tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'

const namesPayload = { erased: [{ index: 2, parts: ['payload'] }] }

test('P6 content that a later erasure leaf names is redacted_ok, before that leaf it is content_missing', async t => {
  const { folder, keys } = await smallLedger(t)
  takeAway(folder, 2, 'payload')
  const before = checkLog(folder, keys)
  assert.deepEqual([before.verdict, before.findings[0]?.index], ['content_missing', 2])
  await appendErasure(folder, namesPayload)
  const after = checkLog(folder, keys)
  assert.deepEqual([after.verdict, after.checked, after.redacted], ['redacted_ok', 7, 1])
  assert.equal(checkLog(folder).verdict, 'redacted_ok')
})

test('P6 an erasure excuses the named parts of the named events and nothing else', async t => {
  for (const payload of [
    { erased: [{ index: 1, parts: ['payload'] }] },
    { erased: [{ index: 2, parts: ['context', 'server', 'toString'] }] },
    { erased: [{ index: 2 }, null, 7, { index: '2', parts: ['payload'] }] },
    { erased: { index: 2, parts: ['payload'] } },
    { index: 2, parts: ['payload'] },
    { erased: [{ index: 2.5, parts: ['payload'] }] },
    [],
  ]) {
    const { folder, keys } = await smallLedger(t)
    takeAway(folder, 2, 'payload')
    await appendErasure(folder, payload)
    assert.equal(checkLog(folder, keys).verdict, 'content_missing', JSON.stringify(payload))
  }
})

test('P6 an erasure leaf excuses nothing that comes after it', async t => {
  const { folder, keys } = await smallLedger(t)
  await appendErasure(folder, { erased: [{ index: 8, parts: ['payload'] }] })
  await appendErasure(folder, {})
  takeAway(folder, 8, 'payload')
  const { verdict, findings } = checkLog(folder, keys)
  assert.deepEqual([verdict, findings[0]?.index], ['content_missing', 8])
})

test('an erased context or server part takes its columns, terms and idempotency key along', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  // A full segment of the search index.
  for (let n = 0; n < 4_100; n += 1_025) {
    const batch = Array.from({ length: 1_025 }, (_, i) => testEvent(n + i, { idempotencyKey: `k${n + i}` }))
    await ledger.appendBatch(batch)
  }
  await ledger.close()
  takeAway(folder, 1, 'server')
  takeAway(folder, 2, 'context')
  const erased = [
    { index: 1, parts: ['server'] },
    { index: 2, parts: ['context'] },
  ]
  await appendErasure(folder, { erased })
  const left = checkLog(folder)
  assert.equal(left.verdict, 'index_mismatch', 'the term of the request id is still there')
  assert.match(left.findings[0]?.detail ?? '', /Table event_terms .* event 2, although it was erased\./)
  // The terms of event 2 that do not come from its core.
  tamper(
    folder,
    `DELETE FROM event_terms WHERE position = (1 << 40) + 2 AND term NOT IN
      (SELECT term FROM event_terms GROUP BY term HAVING count(*) > 1)`,
  )
  const clean = checkLog(folder)
  assert.deepEqual([clean.verdict, clean.redacted], ['redacted_ok', 2], JSON.stringify(clean.findings))
})

test('half of an erased part that was left behind is a finding', async t => {
  const { folder, keys } = await smallLedger(t)
  tamper(folder, 'UPDATE events SET payload = NULL WHERE position = (1 << 40) + 2')
  await appendErasure(folder, namesPayload)
  const { verdict, findings } = checkLog(folder, keys)
  assert.equal(verdict, 'index_mismatch')
  assert.match(findings[0]?.detail ?? '', /row 2, column payload: half of the erased part is left/)
})
