import { join } from 'node:path'
import { LedgerError } from '../errors.ts'
import { openInlineWriter } from '../sequencer/index.ts'
import { type ApiKeyRow, openSqliteReader } from '../store/index.ts'
import { buildingFolder } from './change-over.ts'
import { carriedKey, isLive, recoveredSubmission, type Succession } from './recovered-leaf.ts'
import { onlyHeadNote, removeEmptyLog, type SoundLedger } from './sound-ledgers.ts'

interface SuccessorOptions {
  folder: string
  database: string
  keysFolder: string
  guardFolder: string | null
  /** Default `<32 hex>.deedbox.invalid/<name>`. */
  origin?: string
}

/** A new ledger in the folder where it was built. */
export interface Successor {
  /** Its origin, and its head as signed. */
  opened: { origin: string; note: string }
  verifierKey: string
  /** Entries. */
  size: number
  /** How many API keys it has from the old one. */
  apiKeys: number
}

/**
 * Builds the new ledger apart from the old, and without a guard, which it gets when it comes into its place: an attempt
 * that is abandoned leaves nothing that a later one would meet.
 *
 * @throws LedgerError `invalid_option` for an origin that cannot be one, `storage_failed`, `storage_full`
 */
export async function buildSuccessor(
  options: SuccessorOptions,
  { row, head }: SoundLedger,
  known: Pick<Succession, 'seen' | 'closedFile' | 'signers'>,
): Promise<Successor> {
  const apiKeys = liveKeys(options.database)
  const building = buildingFolder(options)
  const path = join(building, 'ledger.db')
  const writer = await openInlineWriter({
    path,
    keysFolder: join(building, 'keys'),
    signingKey: undefined,
    guardFolder: null,
    ledgerName: row.name,
    kind: 'events',
    origin: options.origin,
  })
  const { ledgerId, origin, verifierKeys } = writer.ledger
  const verifierKey = verifierKeys[0] ?? ''
  try {
    const first = recoveredSubmission({ ...known, old: row, head, verifierKey })
    await writer.append([first, ...apiKeys.map(key => carriedKey(key, ledgerId))])
    await writer.publish()
  } finally {
    await writer.close()
  }
  const note = onlyHeadNote(path)
  if (note === null) throw new LedgerError('storage_failed', `The new ledger in ${building} cannot be read.`)
  removeEmptyLog(path)
  return { opened: { origin, note }, verifierKey, size: 1 + apiKeys.length, apiKeys: apiKeys.length }
}

function liveKeys(database: string): ApiKeyRow[] {
  const reader = openSqliteReader(database)
  try {
    const now = Date.now()
    return [...reader.inspection().apiKeys()].filter(key => isLive(key, now))
  } finally {
    reader.close()
  }
}
