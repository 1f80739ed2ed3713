import { LedgerError } from '../errors.ts'
import { sentenceOf, sqliteCode } from '../store/index.ts'
import { openFolderSource } from './folder-source.ts'
import { httpSource } from './http-source.ts'
import type { LedgerSource } from './ledger-source.ts'

/**
 * Reads from what `--url` or `--data` names, else from what `DEEDBOX_URL` names, else from the data folder.
 *
 * @throws LedgerError `invalid_usage`, `not_a_ledger`, `unknown_ledger`, `storage_failed` when the file cannot be read,
 *   and what `use` throws
 */
export async function withSource<T>(
  values: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  use: (source: LedgerSource) => Promise<T>,
): Promise<T> {
  const source = openSource(values, env)
  try {
    return await use(source)
  } catch (cause) {
    if (sqliteCode(cause) === undefined) throw cause
    throw new LedgerError(
      'storage_failed',
      `The ledger cannot be read: ${sentenceOf(cause)}. "deedbox verify --data …" says what is damaged.`,
      { cause },
    )
  } finally {
    source.close()
  }
}

function openSource(values: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): LedgerSource {
  const url = typeof values.url === 'string' ? values.url : undefined
  const data = typeof values.data === 'string' ? values.data : undefined
  if (url !== undefined && data !== undefined) {
    throw new LedgerError('invalid_usage', 'Name the ledger by --url or by --data, not by both.')
  }
  const address = url ?? (data === undefined ? env.DEEDBOX_URL || undefined : undefined)
  return address === undefined ? openFolderSource(data, env) : httpSource(address, env)
}
