import { indexOfTxId } from '../sequencer/index.ts'
import type { SqliteInspection } from '../store/index.ts'
import type { Findings } from './findings.ts'
import { KeySum, type KeySumState } from './key-sum.ts'

/** What the committed `server` part of an event says about its idempotency key. */
export interface KeyUse {
  idempotency?: unknown
  amends?: unknown
}

/** Adds the event's key, if it has one, to the rows that table `idempotency` should have. */
export function addKeyUse(wanted: KeySum, index: number, server: KeyUse): void {
  if (server.idempotency === undefined) return
  wanted.add(String(server.idempotency), index, firstOf(index, server))
}

/**
 * The rows of table `idempotency` as a sum.
 *
 * @param skip rows of these events, whose own account is gone with an erasure, are left out
 * @param laterThan rows of later commits are left out: events from here on that the `head` covers
 */
export function storedKeys(
  inspection: SqliteInspection,
  ledgerId: number,
  secret: string,
  options: { skip?: ReadonlySet<number>; laterThan?: number; head?: number } = {},
): KeySumState {
  const sum = new KeySum(secret)
  const { skip, laterThan = 0, head = 0 } = options
  for (const { keyHash, index, firstIndex } of inspection.idempotency(ledgerId)) {
    if (index >= laterThan && index < head) continue
    if (skip?.has(index) === true) continue
    sum.add(base64Url(keyHash), index, firstIndex)
  }
  return sum.state
}

/**
 * Names how table `idempotency` differs from the events, once the sums say that it does: each event that names a key
 * hash has exactly one row, and no row is without its event. Otherwise a repeat would be stored twice, or a new event
 * taken for a repeat and dropped. Reads the `server` parts again, which were compared with their commitments before.
 */
export function nameKeyDifferences(
  findings: Findings,
  inspection: SqliteInspection,
  ledger: { ledgerId: number; size: number },
  skip: ReadonlySet<number>,
): void {
  const { ledgerId, size } = ledger
  const met = new Uint8Array(Math.ceil(size / 8))
  for (const { keyHash, index, firstIndex } of inspection.idempotency(ledgerId)) {
    if (skip.has(index)) continue
    const server = index < size ? keyUse(inspection.serverPart(ledgerId, index)) : {}
    const byte = Math.floor(index / 8)
    const bit = 1 << (index & 7)
    if (server.idempotency === undefined || (met[byte]! & bit) !== 0) {
      const detail = `Table idempotency has a row for the event ${index} that the event knows nothing of.`
      findings.add('index_mismatch', detail)
      continue
    }
    met[byte]! |= bit
    const sameKey = server.idempotency === base64Url(keyHash)
    if (sameKey && firstOf(index, server) === firstIndex) continue
    const column = sameKey ? 'first_idx' : 'key_hash'
    const detail = `Table idempotency, row of the event ${index}, column ${column}: not what the event says.`
    findings.add('index_mismatch', detail, index)
  }
  for (let index = 0; index < size; index++) {
    if ((met[Math.floor(index / 8)]! & (1 << (index & 7))) !== 0) continue
    if (keyUse(inspection.serverPart(ledgerId, index)).idempotency === undefined) continue
    findings.add('index_mismatch', `Table idempotency has no row for the key of event ${index}.`, index)
  }
}

/** The index of the first event under the same key, by the event's own account; -1 for an account that makes no sense. */
function firstOf(index: number, server: KeyUse): number {
  if (server.amends === undefined) return index
  return (typeof server.amends === 'string' ? indexOfTxId(server.amends) : undefined) ?? -1
}

function keyUse(server: Uint8Array | null): KeyUse {
  if (server === null) return {}
  try {
    return JSON.parse(Buffer.from(server).toString('utf8')) as KeyUse
  } catch {
    // Then it is not what was committed to either, which was a finding before.
    return {}
  }
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
