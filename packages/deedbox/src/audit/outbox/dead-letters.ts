import { closeSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage } from '../../safety/index.ts'
import type { AuditEvent } from '../audit-event.ts'
import type { DeliveryWords } from '../delivery-words.ts'
import type { LedgerResult } from '../ledger-client.ts'
import type { SpoolHome } from './spool-home.ts'
import { deadFolder } from './spool-place.ts'

type Refusal = Extract<LedgerResult, { ok: false }>
type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void

/** A line of a dead-letter file: an event that the ledger refused for good, and why. */
export interface DeadLetter {
  /** ISO 8601, of the refusal. */
  readonly time: string
  readonly reason: string
  readonly status: number | null
  readonly message: string
  readonly idempotency_key: string
  readonly request_id: string
  readonly meta: AuditEvent['meta']
  readonly payload: string
}

/** The dead letter of an event. */
export function deadLetter(event: AuditEvent, refusal: Refusal): DeadLetter {
  return {
    time: new Date().toISOString(),
    reason: refusal.reason,
    status: refusal.status ?? null,
    message: refusal.message,
    idempotency_key: event.idempotencyKey,
    request_id: event.requestId,
    meta: event.meta,
    payload: event.payload,
  }
}

/** The dead letters of one process: a file beside the spools of its ledger, which others may take away to replay it. */
export class DeadLetters {
  readonly #home: SpoolHome
  readonly #name: string
  readonly #size: number
  readonly #warn: Warn
  readonly #words: DeliveryWords

  /** @param size bytes that the file may have */
  constructor(home: SpoolHome, producerId: string, size: number, warn: Warn, words: DeliveryWords) {
    this.#home = home
    this.#name = `${producerId}.jsonl`
    this.#size = size
    this.#warn = warn
    this.#words = words
  }

  /** Keeps an event. Returns whether it could. */
  add(event: AuditEvent, refusal: Refusal): boolean {
    if (!this.#home.open()) return false
    const folder = join(this.#home.path, '..', deadFolder)
    const bytes = Buffer.from(`${JSON.stringify(deadLetter(event, refusal))}\n`)
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      // Opened anew each time: somebody may have taken the file away.
      const fd = openSync(join(folder, this.#name), 'a', 0o600)
      try {
        if (fstatSync(fd).size + bytes.length > this.#size) {
          this.#warn(
            'dead_letters_full',
            `What ${this.#words.taker} refused is gone: the file of dead letters has ${this.#size} bytes. ` +
              'See "deedbox outbox list"',
            { folder },
          )
          return false
        }
        writeSync(fd, bytes)
      } finally {
        closeSync(fd)
      }
      return true
    } catch (error) {
      this.#warn(
        'spool_failed',
        `What ${this.#words.taker} refused could not be kept: ${errorMessage(error)}`,
        { folder },
      )
      return false
    }
  }
}
