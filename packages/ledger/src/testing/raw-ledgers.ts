import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { newApiKey } from '../access/index.ts'
import { verifyEveryLedger } from '../commands/index.ts'
import type { LedgerSummary } from '../further-ledgers.ts'
import { type OpenRawLedgerOptions, openRawLedger } from '../open-ledger.ts'
import type { RawLedger } from '../raw-ledger.ts'
import type { DataReport } from '../verification/index.ts'
import { openTestLedger, tempFolder, testEvent } from './temp-ledger.ts'

/** Opens a raw ledger of `<folder>/ledger.db`, with keys and guard inside the folder, and closes it after the test. */
export async function openTestRawLedger(
  t: TestContext,
  folder: string,
  options: Partial<OpenRawLedgerOptions> = {},
): Promise<RawLedger> {
  const raw = await openRawLedger(join(folder, 'ledger.db'), {
    name: 'certs',
    keysFolder: join(folder, 'keys'),
    guard: join(folder, 'guard'),
    ...options,
  })
  t.after(() => raw.close())
  return raw
}

/**
 * A closed file of an events ledger with three events and two raw ledgers, `certs` of 300 entries and
 * with an API key, and `empty`.
 */
export async function rawFile(
  t: TestContext,
): Promise<{ folder: string; keys: string[]; certs: LedgerSummary }> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  for (const n of [0, 1, 2]) await ledger.append(testEvent(n))
  const certs = await ledger.createLedger({ name: 'certs', kind: 'raw' })
  const empty = await ledger.createLedger({ name: 'empty', kind: 'raw' })
  await ledger.createApiKey(newApiKey(), 'ci', ['write'], { ledger: 'certs' })
  await ledger.close()
  const raw = await openTestRawLedger(t, folder)
  await Promise.all(Array.from({ length: 300 }, (_, n) => raw.add(Buffer.from(`entry ${n}`))))
  await raw.close()
  return { folder, keys: [ledger.verifierKey, ...certs.verifierKeys, ...empty.verifierKeys], certs }
}

/** The verdict on each ledger of a file by its name, against these keys, and the reports. */
export async function verdicts(
  folder: string,
  keys: readonly string[],
): Promise<{ verdicts: Record<string, string>; reports: DataReport[] }> {
  const pinned = keys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  const reports = await verifyEveryLedger({ folder, pinned, guardFolder: 'off' })
  return { verdicts: Object.fromEntries(reports.map(report => [report.ledger, report.verdict])), reports }
}
