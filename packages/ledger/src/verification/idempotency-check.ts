import { hash, randomBytes } from 'node:crypto'
import { indexOfTxId } from '../sequencer/index.ts'
import type { SqliteInspection } from '../store/index.ts'
import type { Findings } from './findings.ts'

/** What the committed `server` part of an event says about its idempotency key. */
export interface KeyUse {
  idempotency?: unknown
  amends?: unknown
}

/**
 * Compares table `idempotency` with the events: each that names a key hash has exactly one row, and no row is
 * without its event. Otherwise a repeat would be stored twice, or a new event taken for a repeat and dropped.
 *
 * The table is ordered by hash and the events by index. Two sums over both, which need no order, say whether they are
 * the same set; only if they are not, each row is looked up to name it.
 */
export class IdempotencyCheck {
  readonly #findings: Findings
  readonly #wanted: UnorderedSum
  readonly #stored: UnorderedSum
  /** One bit per event: it has a key hash, and its row was not met yet. */
  #open = new Uint8Array(1024)

  constructor(findings: Findings) {
    this.#findings = findings
    const secret = randomBytes(16).toString('hex')
    this.#wanted = new UnorderedSum(secret)
    this.#stored = new UnorderedSum(secret)
  }

  /** Takes note of an event whose `server` part is the committed one. */
  expect(index: number, server: KeyUse): void {
    if (server.idempotency === undefined) return
    this.#wanted.add(String(server.idempotency), index, firstOf(index, server))
    const byte = Math.floor(index / 8)
    if (byte >= this.#open.length) {
      const longer = new Uint8Array(Math.max(this.#open.length * 2, byte + 1))
      longer.set(this.#open)
      this.#open = longer
    }
    this.#open[byte]! |= 1 << (index & 7)
  }

  /** Reads the table, after the last event. */
  compare(inspection: SqliteInspection, ledgerId: number): void {
    for (const { keyHash, index, firstIndex } of inspection.idempotency(ledgerId)) {
      this.#stored.add(Buffer.from(keyHash).toString('base64url'), index, firstIndex)
    }
    if (this.#stored.equals(this.#wanted)) return
    for (const row of inspection.idempotency(ledgerId)) this.#nameRow(row, inspection, ledgerId)
    for (let byte = 0; byte < this.#open.length; byte++) {
      for (let bits = this.#open[byte]!, bit = 0; bits >>> bit !== 0; bit++) {
        if (((bits >>> bit) & 1) === 0) continue
        const index = byte * 8 + bit
        this.#findings.add(
          'index_mismatch',
          `Table idempotency has no row for the key of event ${index}.`,
          index,
        )
      }
    }
  }

  #nameRow(
    { keyHash, index, firstIndex }: { keyHash: Uint8Array; index: number; firstIndex: number },
    inspection: SqliteInspection,
    ledgerId: number,
  ): void {
    if (!this.#take(index)) {
      const detail = `Table idempotency has a row for the event ${index} that the event knows nothing of.`
      this.#findings.add('index_mismatch', detail)
      return
    }
    const server = keyUse(inspection.serverPart(ledgerId, index))
    const sameKey = server.idempotency === Buffer.from(keyHash).toString('base64url')
    if (sameKey && firstOf(index, server) === firstIndex) return
    const column = sameKey ? 'first_idx' : 'key_hash'
    const detail = `Table idempotency, row of the event ${index}, column ${column}: not what the event says.`
    this.#findings.add('index_mismatch', detail, index)
  }

  /** Whether the event's row is still to come; from now on it is not. */
  #take(index: number): boolean {
    const byte = Math.floor(index / 8)
    const bit = 1 << (index & 7)
    if (index < 0 || ((this.#open[byte] ?? 0) & bit) === 0) return false
    this.#open[byte]! &= ~bit
    return true
  }
}

/**
 * The XOR of a hash of each element, and their number. The hash has a secret of this run in it, so nobody can have
 * chosen rows that cancel each other out.
 */
class UnorderedSum {
  readonly #secret: string
  readonly #sum = new Int32Array(8)
  #count = 0

  constructor(secret: string) {
    this.#secret = secret
  }

  add(key: string, index: number, first: number): void {
    const digest = hash('sha256', `${this.#secret}\n${key}\n${index}\n${first}`, 'buffer')
    for (let i = 0; i < 8; i++) this.#sum[i]! ^= digest.readInt32LE(i * 4)
    this.#count++
  }

  equals(other: UnorderedSum): boolean {
    return this.#count === other.#count && this.#sum.every((word, i) => word === other.#sum[i])
  }
}

/** The index of the first event under the same key, by the event's own account; -1 for an account that makes no sense. */
function firstOf(index: number, server: KeyUse): number {
  if (server.amends === undefined) return index
  return (typeof server.amends === 'string' ? indexOfTxId(server.amends) : undefined) ?? -1
}

function keyUse(server: Uint8Array | null): KeyUse {
  return server === null ? {} : (JSON.parse(Buffer.from(server).toString('utf8')) as KeyUse)
}
