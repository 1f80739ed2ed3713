import type { LedgerErrorCode } from '../errors.ts'
import type { ApiKeyRow, StoreTransaction } from '../store/index.ts'
import { type NewLedger, whyTaken } from './further-ledger.ts'

/** A change of administration, as a closed set. Times are milliseconds since the epoch. */
export type AdminChange =
  | { do: 'create_key'; row: ApiKeyRow }
  | { do: 'rotate_key'; row: ApiKeyRow; replaces: string; replacedExpiresAt: number }
  | { do: 'revoke_key'; keyId: string; revokedAt: number }
  | { do: 'create_ledger'; ledger: NewLedger }

/** Why one submission was not stored while the others of its transaction were. */
export interface Refused {
  refused: LedgerErrorCode
  message: string
}

/** Tells a refusal from what a writer answers otherwise, of whichever kind its ledger is. */
export function isRefused(result: unknown): result is Refused {
  return typeof result === 'object' && result !== null && 'refused' in result
}

/**
 * Makes the change inside the transaction that stores its leaf, so that the two are one commit. The caller may have
 * looked at keys and ledgers long before, and another process may have been faster: what decides is what is stored now.
 *
 * @param at the time of the leaf
 * @returns why the change no longer applies, and then nothing was written; undefined when it is made
 */
export async function applyAdminChange(
  tx: StoreTransaction,
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
      const old = await usableKey(tx, change.replaces)
      if ('refused' in old) return old
      if (old.replacedBy !== null) {
        return conflict(`The key ${old.keyId} was replaced by ${old.replacedBy} already: rotate that one.`)
      }
      await tx.updateApiKey({ ...old, expiresAt: change.replacedExpiresAt, replacedBy: change.row.keyId })
      await tx.insertApiKey({ ...change.row, createdAt: at })
      return undefined
    }
    case 'revoke_key': {
      const key = await usableKey(tx, change.keyId)
      if ('refused' in key) return key
      await tx.updateApiKey({ ...key, revokedAt: change.revokedAt })
      return undefined
    }
    case 'create_ledger': {
      const { row, head } = change.ledger
      const taken = whyTaken(await tx.ledgers(), row)
      if (taken !== undefined) return { refused: 'ledger_exists', message: taken }
      await tx.createLedger(row, head)
      return undefined
    }
  }
}

async function usableKey(tx: StoreTransaction, keyId: string): Promise<ApiKeyRow | Refused> {
  const row = await tx.apiKey(keyId)
  if (row === null) {
    return { refused: 'unknown_key', message: 'There is no API key with this id in the ledger.' }
  }
  return row.revokedAt === null ? row : conflict(`The key ${keyId} was revoked already.`)
}

function conflict(message: string): Refused {
  return { refused: 'key_conflict', message }
}
