import { randomBytes } from 'node:crypto'
import { emptyRoot, formatCheckpoint, signNote } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import {
  createSigningKeys,
  hasUsedKey,
  loadSigningKeys,
  namesInKeyText,
  type SigningKeySource,
  type SigningKeys,
} from '../signing/index.ts'
import type { LedgerRow, StoreTransaction } from '../store/index.ts'
import { dedupCheckOf, dedupSecret } from './idempotency.ts'
import { isLedgerName, isOrigin } from './ledger-names.ts'
import type { WriterConfig } from './submission.ts'

/**
 * Finds the ledger that `config` names, or creates it in a database that holds none. Runs under the database's
 * write lock, so of two processes that start at once one creates and the other finds (pitfall P21).
 */
export async function findOrCreate(
  tx: StoreTransaction,
  config: WriterConfig,
): Promise<{ row: LedgerRow; keys: SigningKeys; keySource: SigningKeySource; created: boolean }> {
  const source = { folder: config.keysFolder, text: config.signingKey }
  const rows = await tx.ledgers()
  if (rows.length > 0) {
    const row = rows.find(row => row.name === config.ledgerName)
    if (row === undefined) {
      throw new LedgerError(
        'unknown_ledger',
        `${config.path} holds no ledger "${config.ledgerName}"; it holds: ${rows.map(row => row.name).join(', ')}.`,
      )
    }
    if (row.kind !== config.kind) throw otherKind(row)
    if (config.origin !== undefined && config.origin !== row.origin) {
      throw new LedgerError(
        'invalid_option',
        `The ledger "${row.name}" has the origin ${row.origin} for life; ${config.origin} was asked for. Leave it out.`,
      )
    }
    const keySource = keySourceOf(source, row, rows)
    const keys = loadSigningKeys(keySource, row.name)
    checkKeys(row, keys, config)
    return { row, keys, keySource, created: false }
  }
  if (config.kind === 'raw') {
    throw new LedgerError('unknown_ledger', `${config.path} holds no ledger "${config.ledgerName}".`)
  }
  if (!isLedgerName(config.ledgerName)) {
    throw new LedgerError(
      'invalid_option',
      `"${config.ledgerName}" is no ledger name: use a–z, 0–9 and hyphens.`,
    )
  }
  checkNotLost(config)
  // A key without a ledger is what a crash between the two leaves behind: it has signed nothing, so it serves.
  const found = loadSigningKeys(source, config.ledgerName)
  const origin =
    found?.signers[0]?.name ??
    config.origin ??
    `${randomBytes(16).toString('hex')}.deedbox.invalid/${config.ledgerName}`
  if (!isOrigin(origin)) {
    throw new LedgerError(
      'invalid_option',
      `"${origin}" cannot be an origin: use a URL without its scheme, of letters, digits and . _ ~ : / -.`,
    )
  }
  const keys = found ?? createSigningKeys(source, config.ledgerName, origin)
  const root = emptyRoot(nodeCrypto.sha256)
  const row = {
    name: config.ledgerName,
    origin,
    kind: 'events' as const,
    createdAt: new Date().toISOString(),
    verifierKeys: keys.verifierKeys,
    dedupCheck: dedupCheckOf(dedupSecret(keys.firstSeed)),
  }
  const note = signNote(formatCheckpoint({ origin, size: 0, root }), keys.signers)
  const ledgerId = await tx.createLedger(row, { size: 0, root, at: 0, note })
  return { row: { ledgerId, ...row }, keys, keySource: source, created: true }
}

/**
 * `DEEDBOX_SIGNING_KEY` is for the ledger whose origin it names; the other ledgers of the file have theirs in the
 * folder. One that names no ledger of the file is a mistake, which the first ledger's check of keys tells.
 */
function keySourceOf(source: SigningKeySource, row: LedgerRow, rows: readonly LedgerRow[]): SigningKeySource {
  if (source.text === undefined) return source
  const names = namesInKeyText(source.text)
  const named = rows.some(({ origin }) => names.includes(origin))
  const own = named ? names.includes(row.origin) : row.ledgerId === rows[0]?.ledgerId
  return own ? source : { folder: source.folder }
}

function otherKind({ name, kind }: LedgerRow): LedgerError {
  return new LedgerError(
    'invalid_ledger',
    kind === 'raw'
      ? `The ledger "${name}" is raw: it takes bytes, not events. Open it with openRawLedger.`
      : `The ledger "${name}" keeps events: it takes no raw bytes. Open it with openLedger.`,
  )
}

/**
 * To be called where no ledger was found: also before a missing file is made, so that nothing stands in the way of the
 * backup that is to be put there.
 *
 * @throws LedgerError `ledger_lost` when the ledger's key says that there was one
 */
export function checkNotLost({ keysFolder, signingKey, ledgerName, path }: WriterConfig): void {
  if (!hasUsedKey({ folder: keysFolder, text: signingKey }, ledgerName)) return
  throw new LedgerError(
    'ledger_lost',
    `${keysFolder} holds the key of a ledger "${ledgerName}", but ${path} holds no ledger: it was lost or moved. Put ` +
      'the database back, or a backup with "deedbox restore <backup> --data …"; if a "deedbox recover" was ' +
      'interrupted, run it again. For a new ledger, name another keys folder.',
  )
}

/**
 * Whether keys are those of a ledger.
 *
 * @throws LedgerError `signing_key_missing`, `signing_key_mismatch`
 */
export function checkKeys(
  row: LedgerRow,
  keys: SigningKeys | null,
  config: Pick<WriterConfig, 'keysFolder'>,
): asserts keys is SigningKeys {
  if (keys === null) {
    throw new LedgerError(
      'signing_key_missing',
      `The ledger "${row.name}" is there, its signing key is not. Put the file ${row.name}.signing-key back into ` +
        `${config.keysFolder}, or set DEEDBOX_SIGNING_KEY.`,
    )
  }
  const unknown = keys.verifierKeys.find(key => !row.verifierKeys.includes(key))
  const sameSecret = Buffer.compare(dedupCheckOf(dedupSecret(keys.firstSeed)), row.dedupCheck) === 0
  if (unknown !== undefined || !sameSecret) {
    throw new LedgerError(
      'signing_key_mismatch',
      `The signing key at hand is not one of the ledger "${row.name}" (${row.origin}). Use the key it was created with.`,
    )
  }
}
