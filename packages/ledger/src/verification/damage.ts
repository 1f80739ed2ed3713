import { LedgerError } from '../errors.ts'
import { sentenceOf, sqliteCode } from '../store/index.ts'

// SQLite result codes, https://www.sqlite.org/rescode.html
const genericError = 1
const corrupt = 11
const notADatabase = 26

/**
 * What an error met while reading stored rows says about them, or undefined when it says nothing: the disk, the memory
 * or a lock failed. Values of a wrong kind are damage too; no ledger stores them.
 */
export function damageOf(error: unknown): string | undefined {
  if (error instanceof LedgerError) return undefined
  const code = sqliteCode(error)
  if (code !== undefined && ![genericError, corrupt, notADatabase].includes(code)) return undefined
  return sentenceOf(error)
}
