import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  type BackupOptions,
  type RecoverOptions,
  type RestoreOptions,
  restoreBackup,
  writeBackup,
} from '../backup/index.ts'
import { smallLedger } from './tampered-ledger.ts'
import { openTestLedger, tempFolder, testEvent } from './temp-ledger.ts'

const quiet = () => undefined

/** Backs up the ledger in `folder`, without its keys. */
export const backupOf = (
  folder: string,
  target: string,
  more: Partial<BackupOptions> = {},
): BackupOptions => ({
  database: join(folder, 'ledger.db'),
  keysFolder: join(folder, 'keys'),
  target,
  withKeys: false,
  guardFolder: join(folder, 'guard'),
  version: '0.0.0',
  onProgress: quiet,
  ...more,
})

/** The files of the ledger in `folder`, for restore and recover. */
export const places = (
  folder: string,
  guardFolder: string | null = join(folder, 'guard'),
): Omit<RestoreOptions, 'backup'> => ({
  folder,
  database: join(folder, 'ledger.db'),
  keysFolder: join(folder, 'keys'),
  guardFolder,
  onProgress: quiet,
})

/** A ledger of which an old backup was put back: seven entries, ten were signed. */
export async function rolledBack(
  t: TestContext,
): Promise<{ folder: string; keys: string[]; newest: string }> {
  const { folder, keys } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(folder, backup))
  const ledger = await openTestLedger(t, folder)
  for (const n of [7, 8, 9]) await ledger.append(testEvent(n))
  const newest = ledger.head().note
  await ledger.close()
  rmSync(join(folder, 'ledger.db'))
  await restoreBackup({ backup, ...places(folder) })
  return { folder, keys, newest }
}

/** Recovers the ledger in `folder`, with its guard. */
export const recoverIn = (folder: string, more: Partial<RecoverOptions> = {}): RecoverOptions => ({
  ...places(folder),
  withoutGuard: false,
  ...more,
})
