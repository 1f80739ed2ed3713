import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openTestLedger, tempFolder } from '../../testing/temp-ledger.ts'
import { attestation } from './schema.ts'

test('F14 every column is classified: committed, derived, or not attested', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  await ledger.close()
  const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true })
  t.after(() => db.close())
  const found: Record<string, string[]> = {}
  for (const { name } of db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()) {
    found[String(name)] = db
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(String(name))
      .map(column => String(column.name))
  }
  const classified = Object.fromEntries(
    Object.entries(attestation).map(([table, columns]) => [table, Object.keys(columns)]),
  )
  assert.deepEqual(found, classified)
})
