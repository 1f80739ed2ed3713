import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { newApiKey } from '../access/index.ts'
import { openTestLedger, tempFolder, testEvent } from './temp-ledger.ts'

/**
 * A closed ledger of seven entries: 0–2 under the idempotency keys `k0` to `k2`, 3 amends 0, 4 has no key, 5 and 6
 * record API keys.
 */
export async function smallLedger(t: TestContext): Promise<{ folder: string; keys: string[] }> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (const n of [0, 1, 2]) await ledger.append(testEvent(n, { idempotencyKey: `k${n}` }))
  await ledger.append(testEvent(3, { idempotencyKey: 'k0' }))
  await ledger.append(testEvent(4))
  await ledger.createApiKey(newApiKey(), 'writer', ['write'])
  await ledger.createApiKey(newApiKey(), 'reader', ['read'])
  await ledger.close()
  return { folder, keys: ledger.about.verifierKeys }
}

/** Does with a ledger file what somebody can who has it and knows SQLite, its schema table included. */
export function tamper(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, 'ledger.db'), { enableForeignKeyConstraints: false })
  db.enableDefensive(false)
  db.exec('PRAGMA writable_schema = ON')
  db.exec(sql)
  db.close()
}
