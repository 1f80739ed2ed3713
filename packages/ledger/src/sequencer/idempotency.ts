import { hash, hkdfSync } from 'node:crypto'
import type { PreparedEvent } from '../events/index.ts'

/**
 * What is remembered of an idempotency key: keyed hashes, never texts (DESIGN §7.2). The secret lives with the
 * signing key, outside the database, so that a stolen database cannot be searched for keys or erased payloads.
 *
 * Both are SHA-256 over secret ‖ data. Length extension, the weakness of that form, would let somebody who
 * knows a hash compute another; here a hash opens nothing, it is only compared.
 */
export type DedupSecret = Uint8Array

/** The secret of a ledger, from the 32-byte seed of its first signing key. */
export function dedupSecret(seed: Uint8Array): DedupSecret {
  return new Uint8Array(hkdfSync('sha256', seed, '', 'deedbox-dedup/v1', 32))
}

/** Stored with the ledger: a process that holds another secret finds out at start instead of storing twice. */
export function dedupCheckOf(secret: DedupSecret): Uint8Array {
  return Buffer.from(keyedHash(secret, 'check\n'), 'hex')
}

const prefixLength = 6

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

/**
 * Six bytes by which the index is ordered, then the full 32-byte hash (never a shortened one: pitfall P17).
 * A UUIDv7 keeps its time as those six bytes, so that the keys of our SDK are inserted at the index's edge.
 */
export function idempotencyHash(secret: DedupSecret, principal: string, key: string): Uint8Array {
  const keyHash = Buffer.allocUnsafe(prefixLength + 32)
  const digest = keyedHash(secret, `key\n${JSON.stringify([principal, key])}`)
  keyHash.write(digest, prefixLength, 'hex')
  keyHash.write(uuidV7.test(key) ? key.slice(0, 8) + key.slice(9, 13) : digest.slice(0, 12), 0, 'hex')
  return keyHash
}

/** Tells an exact repeat from different content under the same key. Canonical JSON holds no raw newline. */
export function fingerprintOf(secret: DedupSecret, event: PreparedEvent): Uint8Array {
  const { core, content, payload } = event
  return Buffer.from(keyedHash(secret, `content\n${core}\n${content}\n${payload}`), 'hex')
}

/** As hex: that costs half of what a buffer does. */
function keyedHash(secret: DedupSecret, text: string): string {
  const input = Buffer.allocUnsafe(secret.length + Buffer.byteLength(text))
  input.set(secret)
  input.write(text, secret.length)
  return hash('sha256', input, 'hex')
}
