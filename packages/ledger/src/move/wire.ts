import { toldMessage } from 'deedbox/event-rules'
import type { SoundLedger } from '../backup/index.ts'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
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

/** What every call under `/v1/move` answers. */
export type MoveStatus = MoveState & {
  /** Which server this is, for as long as it keeps its data folder; none before the first move was begun there. */
  server?: string
}

/** How far a server is that waits for a ledger. */
export type MoveState =
  | { state: 'awaiting' }
  | { state: 'receiving'; moveId: string; received: number; bytes: number }
  | { state: 'checking'; moveId: string; done: number; total: number }
  /** It does not verify; nothing of it is kept. */
  | { state: 'refused'; moveId: string; reason: LedgerErrorCode; message: string }
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

/** What a server can refuse a move with, and this side goes by; whatever else it says is `move_conflict`. */
const refusals = [
  'invalid_move_token',
  'checksum_mismatch',
  'storage_full',
  'storage_failed',
  'not_verified',
  'request_timeout',
  'overloaded',
  'signing_key_missing',
  'signing_key_mismatch',
  'rolled_back',
  'fork',
] as const satisfies readonly LedgerErrorCode[]

/** The code of a refusal. The server's word does not steer this side beyond the list. */
export function refusalCode(reason: unknown): LedgerErrorCode {
  return refusals.find(code => code === reason) ?? 'move_conflict'
}

/** A sentence of the server as it may be shown: of bounded length, and without characters that steer a terminal. */
export function heard(message: string): string {
  return toldMessage(message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' '))
}

/** A status as a server may send it; undefined: it is none. */
export function parseStatus(value: unknown): MoveStatus | undefined {
  const answer = (value ?? {}) as Record<string, unknown>
  const { state, moveId, server } = answer
  if (server !== undefined && !isId(server)) return undefined
  const more = server === undefined ? {} : { server }
  if (state === 'awaiting') return { state, ...more }
  if (!isId(moveId)) return undefined
  const { received, bytes, done, total, reason, message, ledgers } = answer
  switch (state) {
    case 'receiving':
      return isCount(received) && isCount(bytes) ? { state, moveId, received, bytes, ...more } : undefined
    case 'checking':
      return isCount(done) && isCount(total) ? { state, moveId, done, total, ...more } : undefined
    case 'refused':
      return { state, moveId, reason: refusalCode(reason), message: heard(String(message)), ...more }
    case 'ready':
    case 'installed':
      return Array.isArray(ledgers) && ledgers.every(isMovedLedger)
        ? { state, moveId, ledgers, ...more }
        : undefined
    default:
      return undefined
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isMovedLedger(value: unknown): value is MovedLedger {
  const { name, origin, size, root } = (value ?? {}) as Partial<MovedLedger>
  return typeof name === 'string' && typeof origin === 'string' && isCount(size) && typeof root === 'string'
}
