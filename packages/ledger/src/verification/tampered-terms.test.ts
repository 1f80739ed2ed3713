import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { test } from 'node:test'
import { tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'

/** One segment of the search index is full, the next has begun. */
const entries = 4_100

const attacks: { title: string; sql: string; detail: RegExp; index?: number }[] = [
  {
    title: 'a term taken out, so that a search passes over its event',
    sql: 'DELETE FROM event_terms WHERE position = (1 << 40) + 2 AND term = (SELECT max(term) FROM event_terms WHERE position = (1 << 40) + 2)',
    detail: /Table event_terms lacks a row: event 2/,
    index: 2,
  },
  {
    title: 'a term changed',
    sql: 'UPDATE event_terms SET term = term + 1 WHERE position = (1 << 40) + 3',
    detail: /Table event_terms lacks a row: event 3/,
    index: 3,
  },
  {
    title: 'a term that the event does not have',
    sql: 'INSERT INTO event_terms VALUES ((1 << 28), 5, (1 << 40) + 1)',
    detail: /Table event_terms has a row that the event knows nothing of: event 1/,
    index: 1,
  },
  {
    title: 'a term of an event of another segment',
    sql: 'INSERT INTO event_terms VALUES ((1 << 28), 5, (1 << 40) + 4098)',
    detail: /Table event_terms has a row that the event knows nothing of: event 4098/,
  },
  {
    title: 'a term before its time',
    sql: 'INSERT INTO event_terms VALUES ((1 << 28) + 1, 5, (1 << 40) + 4097)',
    detail: /Table event_terms has rows in segments that are not full: 1/,
  },
  {
    title: 'no terms at all',
    sql: 'DELETE FROM event_terms',
    detail: /Table event_terms lacks a row: event 0/,
  },
]

test('F14 the search index is derived again: each way to change it is an index_mismatch', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (let from = 0; from < entries; from += 1_000) {
    await ledger.appendBatch(
      Array.from({ length: Math.min(1_000, entries - from) }, (_, i) => testEvent(from + i)),
    )
  }
  await ledger.close()
  assert.equal(checkLog(folder).verdict, 'ok')
  for (const { title, sql, detail, index } of attacks) {
    await t.test(title, t => {
      const copy = tempFolder(t)
      cpSync(folder, copy, { recursive: true })
      tamper(copy, sql)
      const report = checkLog(copy)
      assert.equal(report.verdict, 'index_mismatch', JSON.stringify(report.findings))
      const finding = report.findings.find(finding => detail.test(finding.detail))
      assert(finding !== undefined, JSON.stringify(report.findings))
      if (index !== undefined) assert.equal(finding.index, index)
    })
  }
})
