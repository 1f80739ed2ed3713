import { randomUUID } from 'node:crypto'
import { type Checkpoint, type NoteSigner, signNote } from '@deedbox/tlog'
import { keyRecord } from '../access/index.ts'
import { adminSubmission, type Submission } from '../sequencer/index.ts'
import type { ApiKeyRow, HeadRow, LedgerRow } from '../store/index.ts'

/** The `event_name` of the first leaf of a ledger that takes the place of one that was rolled back. */
export const recovered = 'deedbox.recovered'

/** What a new ledger says of the one before it. */
export interface Succession {
  /** The ledger that is closed, as it was restored. */
  old: LedgerRow
  head: HeadRow
  /** What had been signed beyond it; null when nothing shows how far it went. */
  seen: (Checkpoint & { note: string }) | null
  /** Name of the file in which the old ledger is kept. */
  closedFile: string
  /** The verifier key of the new ledger. */
  verifierKey: string
  /** The signing keys of the old ledger; null when they are not at hand. */
  signers: readonly NoteSigner[] | null
}

/**
 * The first leaf of the new ledger. Whoever pinned the old verifier key finds in it, signed with that key, which key
 * comes after it.
 */
export function recoveredSubmission(succession: Succession): Submission {
  const { old, head, seen, closedFile, verifierKey, signers } = succession
  return adminSubmission(
    recovered,
    {
      old_origin: old.origin,
      old_size: head.size,
      old_root: base64(head.root),
      old_checkpoint: head.note,
      old_verifier_keys: old.verifierKeys,
      seen: seen === null ? null : { size: seen.size, root: base64(seen.root), checkpoint: seen.note },
      closed_file: closedFile,
      verifier_key: verifierKey,
      handover: signers === null ? null : handoverNote(old.origin, head, verifierKey, signers),
    },
    randomUUID(),
  )
}

/** A signed note that is no checkpoint: its first line is not the origin, its second is no size. */
function handoverNote(
  origin: string,
  { size, root }: HeadRow,
  verifierKey: string,
  signers: readonly NoteSigner[],
): string {
  return signNote(`deedbox-recovered/v1\n${origin}\n${size} ${base64(root)}\n${verifierKey}\n`, signers)
}

/** The leaf that gives an API key of the old ledger to the new one: same secret, id, principal and scopes. */
export function carriedKey(old: ApiKeyRow, ledgerId: number): Submission {
  // Which key took its place is told by leaves of the old ledger; here it is a key with an end.
  const row = { ...old, ledgerId, replacedBy: null }
  const submission = adminSubmission('deedbox.key.created', { ...keyRecord(row), by: 'local' }, randomUUID())
  return { ...submission, adminChange: { do: 'create_key', row } }
}

/** Whether a key still opens the old ledger. */
export function isLive({ revokedAt, expiresAt }: ApiKeyRow, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
