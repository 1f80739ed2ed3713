import type { SoundLedger } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import type { MovedLedger } from '../store/index.ts'

/** What a client announces before it sends the file. */
export interface MoveManifest {
  v: 1
  /** Length of the file. */
  bytes: number
  /** SHA-256 of the file, in hex. */
  sha256: string
  ledgers: MovedLedger[]
  /** Signing keys by file name: they travel in the clear, so the channel has to be private. */
  keys: { name: string; text: string }[]
}

/** How far a server is that waits for a ledger, as every call under `/v1/move` answers. */
export type MoveStatus =
  | { state: 'awaiting' }
  | { state: 'receiving'; moveId: string; received: number; bytes: number }
  | { state: 'checking'; moveId: string; done: number; total: number }
  /** It does not verify; nothing of it is kept. */
  | { state: 'refused'; moveId: string; reason: string; message: string }
  /** It verifies, and waits for the word to be installed. */
  | { state: 'ready'; moveId: string; ledgers: MovedLedger[] }
  | { state: 'installed'; moveId: string; ledgers: MovedLedger[] }

/** Bytes of one piece of the file: one request each. */
export const pieceBytes: number = 1024 * 1024

/** The longest manifest: a file holds at most 8,191 ledgers. */
export const manifestBytes: number = 8 * 1024 * 1024

/** What both sides compare of a ledger that was verified. */
export function movedLedger({ row, head }: SoundLedger): MovedLedger {
  const root = Buffer.from(head.root).toString('base64')
  return { name: row.name, origin: row.origin, size: head.size, root }
}

/** Whether two sides have the same ledgers, entry for entry. */
export function sameLedgers(one: readonly MovedLedger[], other: readonly MovedLedger[]): boolean {
  const text = (ledgers: readonly MovedLedger[]) =>
    JSON.stringify(ledgers.map(({ name, origin, size, root }) => [name, origin, size, root]))
  return one.length > 0 && text(one) === text(other)
}

/** @throws LedgerError `malformed_json`, `malformed_request` */
export function parseManifest(bytes: Uint8Array): MoveManifest {
  let manifest: MoveManifest
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new LedgerError('malformed_json', 'The manifest of the move is not JSON.', { cause })
  }
  if (isManifest(manifest)) return manifest
  throw new LedgerError('malformed_request', 'The manifest is not one that this version of Deedbox knows.')
}

function isManifest(value: unknown): value is MoveManifest {
  const { v, bytes, sha256, ledgers, keys } = (value ?? {}) as Partial<MoveManifest>
  return (
    v === 1 &&
    Number.isSafeInteger(bytes) &&
    (bytes ?? 0) > 0 &&
    /^[0-9a-f]{64}$/.test(String(sha256)) &&
    Array.isArray(ledgers) &&
    ledgers.length > 0 &&
    Array.isArray(keys) &&
    // The name becomes a path.
    keys.every(
      key => /^[a-z0-9-]{1,200}\.(closed-)?signing-key$/.test(key?.name) && typeof key?.text === 'string',
    )
  )
}
