import type { LedgerErrorCode } from '../errors.ts'
import type { ApiKeyRow, StoreTransaction } from '../store/index.ts'

/** A change of administration, as a closed set. Times are milliseconds since the epoch. */
export type AdminChange =
  | { do: 'create_key'; row: ApiKeyRow }
  | { do: 'rotate_key'; row: ApiKeyRow; replaces: string; replacedExpiresAt: number }
  | { do: 'revoke_key'; keyId: string; revokedAt: number }

/** Why one submission was not stored while the others of its transaction were. */
export interface Refused {
  refused: LedgerErrorCode
  message: string
}

/**
 * Makes the change inside the transaction that stores its leaf, so that the two are one commit. The caller may have
 * looked at the keys long before, and another process may have been faster: what decides is what is stored now.
 *
 * @param at the time of the leaf
 * @returns why the change no longer applies, and then nothing was written; undefined when it is made
 */
export async function applyAdminChange(
  tx: StoreTransaction,
  ledgerId: number,
  change: AdminChange,
  at: number,
): Promise<Refused | undefined> {
  switch (change.do) {
    case 'create_key': {
      if ((await tx.apiKeyByHash(change.row.hash)) !== null) return conflict('This API key is there already.')
      await tx.insertApiKey({ ...change.row, createdAt: at })
      return undefined
    }
    case 'rotate_key': {
      const old = await usableKey(tx, ledgerId, change.replaces)
      if ('refused' in old) return old
      if (old.replacedBy !== null) {
        return conflict(`The key ${old.keyId} was replaced by ${old.replacedBy} already: rotate that one.`)
      }
      await tx.updateApiKey({ ...old, expiresAt: change.replacedExpiresAt, replacedBy: change.row.keyId })
      await tx.insertApiKey({ ...change.row, createdAt: at })
      return undefined
    }
    case 'revoke_key': {
      const key = await usableKey(tx, ledgerId, change.keyId)
      if ('refused' in key) return key
      await tx.updateApiKey({ ...key, revokedAt: change.revokedAt })
      return undefined
    }
  }
}

async function usableKey(
  tx: StoreTransaction,
  ledgerId: number,
  keyId: string,
): Promise<ApiKeyRow | Refused> {
  const row = await tx.apiKey(keyId)
  if (row === null || row.ledgerId !== ledgerId) {
    return { refused: 'unknown_key', message: 'There is no API key with this id in the ledger.' }
  }
  return row.revokedAt === null ? row : conflict(`The key ${keyId} was revoked already.`)
}

function conflict(message: string): Refused {
  return { refused: 'key_conflict', message }
}
