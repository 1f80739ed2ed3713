import { randomUUID } from 'node:crypto'
import {
  encodeEntryBundle,
  formatReceipt,
  type Part,
  parseEventLeaf,
  proveInclusion,
  type Receipt,
  tileSubtreeReader,
  tileWidth,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { Authenticator, apiKeyRow, type Scope } from './access/index.ts'
import { LedgerError, type LedgerErrorCode } from './errors.ts'
import { type EventInput, prepareEvent } from './events/index.ts'
import { LedgerView } from './ledger-view.ts'
import type { EventPage, EventQuery } from './search/index.ts'
import {
  adminSubmission,
  indexOfTxId,
  type OpenedLedger,
  Queue,
  type Sequenced,
  type Submission,
  type Writer,
} from './sequencer/index.ts'
import type { EventRow, HeadRow, SqliteReader } from './store/index.ts'
import { partOf, type StoredEvent, storedEvent } from './stored-event.ts'

/** The answer to an event that is durably stored. */
export interface Acknowledgement {
  ok: true
  /** The event's id in the ledger. */
  txId: string
  /** The event's place in the tree, from 0. */
  index: number
  /** Hex SHA-256 of the payload as sent. */
  payloadHash: string
  status: 'accepted'
  /** True: the same content under the same idempotency key was here before; the rest is the first answer's. */
  duplicate: boolean
  /** The first event under the same idempotency key, when this one differs from it. */
  amends?: string
  requestId: string
}

/** The answer to an event that was not stored. */
export interface Refusal {
  ok: false
  reason: LedgerErrorCode
  message: string
  /** Whether sending the same event again may succeed. */
  retryable: boolean
}

const retryableCodes: readonly LedgerErrorCode[] = [
  'overloaded',
  'storage_full',
  'storage_failed',
  'outcome_unknown',
  'ledger_stopped',
]

/** An open ledger: one tree, one origin, one list of signing keys. Get one from `openLedger`. */
export class Ledger {
  readonly #writer: Writer
  readonly #reader: SqliteReader
  readonly #queue: Queue
  readonly #authenticator: Authenticator
  /** Tail, counts and export; what they show of this ledger is always committed. */
  readonly view: LedgerView
  #closing: Promise<void> | undefined

  /** Use `openLedger`. */
  constructor(writer: Writer, reader: SqliteReader) {
    this.#writer = writer
    this.#reader = reader
    this.#queue = new Queue(writer)
    this.view = new LedgerView(reader, writer.ledger.ledgerId)
    this.#authenticator = new Authenticator(hash => reader.apiKeyByHash(hash))
  }

  /** Name, origin, verifier keys, whether this opening created it, and sentences for the operator. */
  get about(): OpenedLedger {
    return this.#writer.ledger
  }

  /** The verifier key to hand out and to pin: who has it can check this ledger's signatures. */
  get verifierKey(): string {
    return this.about.verifierKeys.at(-1) ?? ''
  }

  /** Tells callers by their API key. */
  get authenticator(): Authenticator {
    return this.#authenticator
  }

  /** What the operator should know: from the opening, and from now. */
  get warnings(): string[] {
    const now = this.#writer.warning
    return now === undefined ? this.about.warnings : [...this.about.warnings, now]
  }

  /** Why the newest write failed, or undefined while writing works. */
  get failure(): LedgerError | undefined {
    return this.#writer.failure ?? this.#queue.failure
  }

  /**
   * Stores one event durably.
   *
   * @param principal who writes: idempotency keys of different principals never meet
   * @throws LedgerError why it was refused; nothing is stored then (`outcome_unknown` excepted)
   */
  async append(event: EventInput, principal = 'in-process'): Promise<Acknowledgement> {
    const [result] = await this.#submit([submission(event, principal)])
    return acknowledgement(result!)
  }

  /**
   * Stores events durably, the valid ones in one transaction. Never rejects: one result per event, in order.
   */
  async appendBatch(
    events: readonly EventInput[],
    principal = 'in-process',
  ): Promise<(Acknowledgement | Refusal)[]> {
    const results: (Acknowledgement | Refusal | undefined)[] = []
    const valid: Submission[] = []
    for (const event of events) {
      try {
        valid.push(submission(event, principal))
        results.push(undefined)
      } catch (error) {
        results.push(refusal(error))
      }
    }
    let sequenced: (Acknowledgement | Refusal)[]
    try {
      sequenced = (await this.#submit(valid)).map(acknowledgement)
    } catch (error) {
      sequenced = valid.map(() => refusal(error))
    }
    let next = 0
    return results.map(result => result ?? sequenced[next++]!)
  }

  /**
   * Creates an API key. The leaf that records it and the key are stored in one transaction.
   *
   * @throws LedgerError `invalid_option` when the text cannot be a key
   */
  async createApiKey(
    key: string,
    name: string,
    scopes: readonly Scope[],
  ): Promise<{ keyId: string; principal: string }> {
    const row = apiKeyRow(key, this.about.ledgerId, name, scopes)
    const { keyId, principal } = row
    const record = {
      key_id: keyId,
      principal,
      name,
      scopes: row.scopes,
      hash: Buffer.from(row.hash).toString('hex'),
      expires_at: row.expiresAt,
    }
    const admin = adminSubmission('deedbox.key.created', record, randomUUID())
    await this.#submit([{ ...admin, newApiKey: row }])
    return { keyId, principal }
  }

  /** Whether this key text is known already, valid or not. */
  hasApiKey(key: string): boolean {
    return this.#reader.apiKeyByHash(apiKeyRow(key, this.about.ledgerId, '', []).hash) !== null
  }

  /** How many API keys the ledger has. */
  get apiKeyCount(): number {
    return this.#reader.apiKeyCount(this.about.ledgerId)
  }

  /** The newest durable state of the tree. */
  head(): HeadRow {
    return this.#reader.head(this.about.ledgerId)
  }

  /** The newest public checkpoint; before the first, the newest signed one (of the empty tree, usually). */
  checkpoint(): string {
    return this.#reader.publishedCheckpoint(this.about.ledgerId) ?? this.head().note
  }

  /** @throws LedgerError `unknown_event` */
  event(txId: string): StoredEvent {
    return storedEvent(this.#row(txId))
  }

  /** @throws LedgerError `invalid_query` */
  search(query: EventQuery = {}): EventPage & { events: StoredEvent[] } {
    return this.view.search(query)
  }

  /**
   * The receipt of an event as the text of a `.tlog-proof` file.
   *
   * @param disclose the parts to show in the clear; none by default, so that a receipt can be public
   * @throws LedgerError `unknown_event`
   */
  receipt(txId: string, disclose: readonly Part[] = []): string {
    const row = this.#row(txId)
    const head = this.head()
    const read = tileSubtreeReader(nodeCrypto.sha256, (level, n) => this.#storedTile(level, n), head.size)
    const disclosed: Receipt['disclosed'] = {}
    for (const part of disclose) {
      const shown = partOf(row, part)
      if (shown !== null) disclosed[part] = shown
    }
    return formatReceipt({
      index: row.index,
      leaf: row.leaf,
      proof: proveInclusion(nodeCrypto.sha256, row.index, head.size, read),
      checkpoint: head.note,
      verifierKey: this.verifierKey,
      disclosed,
    })
  }

  /**
   * A hash tile of the given width, as C2SP tlog-tiles has it.
   *
   * @throws LedgerError `unknown_tile` when the tree is not that large (yet)
   */
  tile(level: number, n: number, width: number): Uint8Array {
    if (tileWidth(level, n, this.head().size) < width) throw unknownTile()
    return this.#storedTile(level, n).subarray(0, width * 32)
  }

  /**
   * An entry bundle of the given width.
   *
   * @throws LedgerError `unknown_tile` when the tree is not that large (yet)
   */
  entries(n: number, width: number): Uint8Array {
    if (tileWidth(0, n, this.head().size) < width) throw unknownTile()
    return encodeEntryBundle(this.#reader.leaves(this.about.ledgerId, n * 256, n * 256 + width))
  }

  /** Waits for what is under way, publishes the newest checkpoint and closes the files. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.close()
    this.view.close()
    // The writer goes last: the last connection folds SQLite's log into the file, which a reader cannot.
    this.#reader.close()
    await this.#writer.close()
  }

  async #submit(submissions: Submission[]): Promise<Sequenced[]> {
    const results = await this.#queue.submit(submissions)
    this.view.look()
    return results
  }

  #row(txId: string): EventRow {
    const index = indexOfTxId(txId)
    const row = index === undefined ? null : this.#reader.event(this.about.ledgerId, index)
    // The index in an id finds the row; the id as a whole has to be the leaf's.
    if (row === null || parseEventLeaf(row.leaf).tx_id !== txId) {
      throw new LedgerError('unknown_event', 'There is no event with this tx_id in the ledger.')
    }
    return row
  }

  #storedTile(level: number, n: number): Uint8Array {
    return this.#reader.tile(this.about.ledgerId, level, n) ?? new Uint8Array()
  }
}

function submission(event: EventInput, principal: string): Submission {
  const prepared = prepareEvent(event)
  if (typeof principal !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(principal)) {
    throw new LedgerError('invalid_option', 'A principal is 1 to 255 visible ASCII characters.')
  }
  return { kind: 'event', principal, event: prepared, requestId: prepared.requestId ?? randomUUID() }
}

function acknowledgement({
  txId,
  index,
  payloadHash,
  duplicate,
  amends,
  requestId,
}: Sequenced): Acknowledgement {
  const base = { ok: true, txId, index, payloadHash, status: 'accepted', duplicate } as const
  return { ...base, ...(amends === undefined ? {} : { amends }), requestId }
}

/** An error as the result of one event in a batch. */
export function refusal(error: unknown): Refusal {
  if (!(error instanceof LedgerError)) {
    return {
      ok: false,
      reason: 'internal_error',
      message: 'The ledger failed on this event.',
      retryable: false,
    }
  }
  return {
    ok: false,
    reason: error.code,
    message: error.message,
    retryable: retryableCodes.includes(error.code),
  }
}

function unknownTile(): LedgerError {
  return new LedgerError(
    'unknown_tile',
    'The tree has no such tile (yet). Ask for a smaller width or an earlier tile.',
  )
}
