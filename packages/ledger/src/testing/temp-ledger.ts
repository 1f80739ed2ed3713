import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { firstScopes, newApiKey, type Scope } from '../access/index.ts'
import type { EventInput } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { type OpenLedgerOptions, openLedger } from '../open-ledger.ts'
import { openSqliteReader } from '../store/index.ts'
import { type DataReport, verifyData } from '../verification/index.ts'

/** A folder of the test's own that goes when the test is over. */
export function tempFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Opens `<folder>/ledger.db` with its keys and guard inside the folder, and closes it after the test. */
export async function openTestLedger(
  t: TestContext,
  folder: string,
  options: OpenLedgerOptions = {},
): Promise<Ledger> {
  const ledger = await openLedger(join(folder, 'ledger.db'), {
    keysFolder: join(folder, 'keys'),
    guard: join(folder, 'guard'),
    ...options,
  })
  t.after(() => ledger.close())
  return ledger
}

/** A key of the ledger with the given scopes. */
export async function testKey(ledger: Ledger, scopes: readonly Scope[] = firstScopes): Promise<string> {
  const key = newApiKey()
  await ledger.createApiKey(key, 'test', scopes)
  return key
}

/** An event that differs from every other by its number. */
export function testEvent(n: number, more: Partial<EventInput> = {}): EventInput {
  return {
    payload: JSON.stringify({ n, note: `event ${n}` }),
    meta: { type: 'info', event_name: 'test.happened', service: 'test', request_id: `request-${n}` },
    ...more,
  }
}

/** Re-reads a whole ledger against the key it was created with: what every test of the ledger ends with. */
export function checkLog(folder: string, verifierKeys: readonly string[] = []): DataReport {
  const reader = openSqliteReader(join(folder, 'ledger.db'))
  try {
    const [row] = reader.ledgers()
    const known = verifierKeys.length === 0 ? row!.verifierKeys : verifierKeys
    return verifyData(reader, row!, { pinned: known.map(key => parseVerifierKey(nodeCrypto.sha256, key)) })
  } finally {
    reader.close()
  }
}
