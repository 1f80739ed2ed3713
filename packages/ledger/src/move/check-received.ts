import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { guardNote, openKept, soundLedgers, standingOf } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import { checkKeys } from '../sequencer/index.ts'
import { loadSigningKeys } from '../signing/index.ts'
import type { MovedLedger } from '../store/index.ts'
import { type MoveManifest, movedLedger, sameLedgers } from './wire.ts'

/** A file that arrived, and what it has to agree with. */
export interface ReceivedLedger {
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  manifest: Pick<MoveManifest, 'sha256' | 'ledgers'>
}

/** A ledger that was found whole: what both sides compare, and its head as signed, for the rollback guard. */
export interface CheckedLedger extends MovedLedger {
  note: string
}

/**
 * Re-reads a file that arrived, in full: that each byte is the one that was announced, that every ledger in it
 * verifies, that the signing keys are theirs, and that this machine has not seen more of them.
 *
 * @throws LedgerError `checksum_mismatch`, `not_verified`, `signing_key_missing`, `signing_key_mismatch`,
 *   `rolled_back`, `fork`
 */
export async function checkReceived(
  { database, keysFolder, guardFolder, manifest }: ReceivedLedger,
  onProgress: (done: number, entries: number) => void,
): Promise<CheckedLedger[]> {
  if ((await sha256Of(database)) !== manifest.sha256) {
    throw new LedgerError(
      'checksum_mismatch',
      'The file that arrived is not the one that was announced: its SHA-256 is another. Move it again.',
    )
  }
  const sound = soundLedgers(database, () => ({}), onProgress)
  if (!sameLedgers(sound.map(movedLedger), manifest.ledgers)) {
    throw new LedgerError('not_verified', 'The file that arrived holds other ledgers than were announced.')
  }
  for (const { row, head } of sound) {
    checkKeys(row, loadSigningKeys({ folder: keysFolder }, row.name), { keysFolder })
    const note = guardNote(guardFolder, row.origin)
    if (note === null) continue
    const standing = await standingOf(
      database,
      row,
      head,
      openKept(note, row, 'The rollback guard of the server'),
    )
    if (standing === 'extends') continue
    throw new LedgerError(
      standing === 'behind' ? 'rolled_back' : 'fork',
      `The rollback guard of the server has seen ${standing === 'behind' ? 'more entries' : 'another history'} of ` +
        `${row.origin} than the file holds: what is signed next would be a second history.`,
    )
  }
  return sound.map(ledger => ({ ...movedLedger(ledger), note: ledger.head.note }))
}

/** The SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) digest.update(bytes)
  return digest.digest('hex')
}
