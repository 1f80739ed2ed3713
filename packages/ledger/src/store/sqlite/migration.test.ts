import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../../testing/temp-ledger.ts'
import { openSqliteReader } from '../index.ts'
import { schemaVersion } from './schema.ts'

const numbered = (seq: number) => {
  const event = testEvent(seq)
  return { ...event, meta: { ...event.meta, producer: { id: 'p', seq } } }
}

/** A ledger of one event as schema 1 left it. */
async function olderLedger(t: TestContext): Promise<{ folder: string; file: string }> {
  const folder = tempFolder(t)
  const file = join(folder, 'ledger.db')
  const ledger = await openTestLedger(t, folder)
  await ledger.append(testEvent(0))
  await ledger.close()
  const db = new DatabaseSync(file)
  db.exec('DROP TABLE producers; PRAGMA user_version = 1')
  db.close()
  return { folder, file }
}

test('a file of schema 1 is read and verified as it is', async t => {
  const { folder, file } = await olderLedger(t)
  assert.equal(checkLog(folder).verdict, 'ok')
  const reader = openSqliteReader(file)
  t.after(() => reader.close())
  const query = { state: undefined, service: undefined, silentBefore: 0, after: undefined, limit: 10 }
  assert.deepEqual(reader.producers(1, query), [])
})

test('opening a file of schema 1 for writing brings it to this one, by two at once too, and nothing is lost', async t => {
  const { folder, file } = await olderLedger(t)
  const both = await Promise.all([openTestLedger(t, folder), openTestLedger(t, folder)])
  await Promise.all(both.map((ledger, i) => ledger.append(numbered(i + 1))))
  assert.deepEqual(
    both[0]?.producers().producers.map(({ id, seen_to, missing }) => ({ id, seen_to, missing })),
    [{ id: 'p', seen_to: 2, missing: 0 }],
  )
  for (const ledger of both) await ledger.close()
  const report = checkLog(folder)
  assert.deepEqual([report.verdict, report.findings], ['ok', []])
  const db = new DatabaseSync(file, { readOnly: true })
  t.after(() => db.close())
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, schemaVersion)
})

test('a table that only the newer schema has is foreign to a file that says it is of the older one', async t => {
  const folder = tempFolder(t)
  await (await openTestLedger(t, folder)).close()
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  db.exec('PRAGMA user_version = 1')
  db.close()
  await assert.rejects(openTestLedger(t, folder), { code: 'edge_damaged' })
})
