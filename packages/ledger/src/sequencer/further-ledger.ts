import { randomBytes } from 'node:crypto'
import { emptyRoot, formatCheckpoint, signNote } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import {
  createSigningKeys,
  hasUsedKey,
  loadSigningKeys,
  type SigningKeySource,
  type SigningKeys,
} from '../signing/index.ts'
import { type HeadRow, type LedgerRow, maxLedgerId } from '../store/index.ts'
import { dedupCheckOf, dedupSecret } from './idempotency.ts'
import { isLedgerName, isOrigin } from './ledger-names.ts'

/** What a further ledger of a file is to be. */
export interface FurtherLedger {
  name: string
  /** First line of every checkpoint, fixed for life; default `<32 hex>.deedbox.invalid/<name>`. */
  origin?: string
}

/** A ledger to be created, with the signed head of its empty tree. Plain data, as every submission is. */
export interface NewLedger {
  row: Omit<LedgerRow, 'ledgerId'>
  head: HeadRow
}

/**
 * Makes what a further ledger consists of: its signing key, written to the keys folder under its first name, its row
 * and the signed head of its empty tree. A key that an earlier attempt left behind has signed nothing and is taken.
 *
 * @param ledgers reads the file's ledgers as they are now
 * @throws LedgerError `invalid_ledger`, `ledger_exists`, `ledger_lost`, `signing_key_mismatch`, `storage_failed`
 */
export function prepareFurtherLedger(
  source: SigningKeySource,
  ledger: FurtherLedger,
  ledgers: () => readonly LedgerRow[],
): NewLedger {
  const { name, origin: wanted } = ledger
  if (!isLedgerName(name)) {
    throw new LedgerError(
      'invalid_ledger',
      `"${name}" is no ledger name: use a–z, 0–9 and hyphens, at most 63 of them.`,
    )
  }
  if (wanted !== undefined && !isOrigin(wanted)) {
    throw new LedgerError(
      'invalid_ledger',
      `"${wanted}" cannot be an origin: use a URL without its scheme, of letters, digits and . _ ~ : / -.`,
    )
  }
  // In this order: another process renames the key after its commit, so a key that is used now has a row now.
  const used = hasUsedKey(source, name)
  const taken = whyTaken(ledgers(), ledger)
  if (taken !== undefined) throw new LedgerError('ledger_exists', taken)
  if (used) {
    throw new LedgerError(
      'ledger_lost',
      `The keys folder holds the key of a ledger "${name}" that is not in this file: it was lost, or is in another ` +
        'file. Choose another name.',
    )
  }
  const keys = newKeys(source, ledger)
  const origin = keys.signers[0]!.name
  const root = emptyRoot(nodeCrypto.sha256)
  return {
    row: {
      name,
      origin,
      kind: 'raw',
      createdAt: new Date().toISOString(),
      verifierKeys: keys.verifierKeys,
      dedupCheck: dedupCheckOf(dedupSecret(keys.firstSeed)),
    },
    head: { size: 0, root, at: 0, note: signNote(formatCheckpoint({ origin, size: 0, root }), keys.signers) },
  }
}

function newKeys(source: SigningKeySource, { name, origin }: FurtherLedger): SigningKeys {
  const found = loadSigningKeys(source, name)
  if (found === null) {
    return createSigningKeys(
      source,
      name,
      origin ?? `${randomBytes(16).toString('hex')}.deedbox.invalid/${name}`,
    )
  }
  const left = found.signers[0]!.name
  if (origin !== undefined && origin !== left) {
    throw new LedgerError(
      'invalid_ledger',
      `The keys folder holds a key for "${name}" that an earlier attempt left behind, of the origin ${left}. ` +
        `Create the ledger with that origin, or remove ${name}.signing-key.new first.`,
    )
  }
  return found
}

/**
 * Why a ledger cannot be added beside those of the file, or undefined. Asked when it is prepared, and again inside the
 * transaction that stores it: another process may have been faster.
 */
export function whyTaken(ledgers: readonly LedgerRow[], { name, origin }: FurtherLedger): string | undefined {
  if (ledgers.some(row => row.name === name)) {
    return `There is a ledger "${name}" already. Choose another name.`
  }
  if (origin !== undefined && ledgers.some(row => row.origin === origin)) {
    return `A ledger of this file has the origin ${origin} already.`
  }
  if (ledgers.length >= maxLedgerId) return `A file holds at most ${maxLedgerId} ledgers.`
  return undefined
}
