import { randomUUID } from 'node:crypto'
import {
  formatReceipt,
  type Part,
  parseEventLeaf,
  proveInclusion,
  type Receipt,
  tileSubtreeReader,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { Authenticator, apiKeyRow, type Scope } from './access/index.ts'
import { LedgerError, type LedgerErrorCode } from './errors.ts'
import { type EventInput, prepareEvent } from './events/index.ts'
import type { FurtherLedgers, LedgerRequest, LedgerSummary } from './further-ledgers.ts'
import type { RawLedger } from './raw-ledger.ts'
import { type EventPage, type EventQuery, searchEvents } from './search/index.ts'
import {
  adminSubmission,
  indexOfTxId,
  type OpenedLedger,
  Queue,
  type Sequenced,
  type Submission,
  type Writer,
} from './sequencer/index.ts'
import type { EventRow, SqliteReader } from './store/index.ts'
import { partOf, type StoredEvent, storedEvent } from './stored-event.ts'
import { TiledLog } from './tiled-log.ts'

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

/**
 * An open ledger of events: one tree, one origin, one list of signing keys. It keeps the administration of its file,
 * other ledgers of the file included. Get one from `openLedger`.
 */
export class Ledger extends TiledLog {
  readonly #writer: Writer
  readonly #reader: SqliteReader
  readonly #queue: Queue
  readonly #authenticator: Authenticator
  readonly #further: FurtherLedgers
  #closing: Promise<void> | undefined

  /** Use `openLedger`. */
  constructor(writer: Writer, reader: SqliteReader, further: FurtherLedgers) {
    super(reader, writer.ledger)
    this.#further = further
    this.#writer = writer
    this.#reader = reader
    this.#queue = new Queue(writer)
    this.#authenticator = new Authenticator(hash => reader.apiKeyByHash(hash), writer.ledger.ledgerId)
  }

  /** Name, origin, verifier keys, whether this opening created it, and sentences for the operator. */
  override get about(): OpenedLedger {
    return this.#writer.ledger
  }

  /** Tells callers by their API key. */
  get authenticator(): Authenticator {
    return this.#authenticator
  }

  /** What the operator should know: from the opening, and from now. */
  get warnings(): string[] {
    const now = this.#writer.warning
    return [...this.about.warnings, ...(now === undefined ? [] : [now]), ...this.#further.warnings]
  }

  /** Why the newest write failed, or undefined while writing works. */
  get failure(): LedgerError | undefined {
    return this.#writer.failure ?? this.#queue.failure ?? this.#further.failure
  }

  /**
   * Stores one event durably.
   *
   * @param principal who writes: idempotency keys of different principals never meet
   * @throws LedgerError why it was refused; nothing is stored then (`outcome_unknown` excepted)
   */
  async append(event: EventInput, principal = 'in-process'): Promise<Acknowledgement> {
    const [result] = await this.#queue.submit([submission(event, principal)])
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
      sequenced = (await this.#queue.submit(valid)).map(acknowledgement)
    } catch (error) {
      sequenced = valid.map(() => refusal(error))
    }
    let next = 0
    return results.map(result => result ?? sequenced[next++]!)
  }

  /**
   * Creates an API key. The leaf that records it and the key are stored in one transaction.
   *
   * @param ledgerName the ledger of the file that the key is for; default this one
   * @throws LedgerError `invalid_option` when the text cannot be a key, `unknown_ledger`
   */
  async createApiKey(
    key: string,
    name: string,
    scopes: readonly Scope[],
    ledgerName: string = this.about.name,
  ): Promise<{ keyId: string; principal: string }> {
    const isOwn = ledgerName === this.about.name
    const ledgerId = this.#further.row(ledgerName).ledgerId
    const row = apiKeyRow(key, ledgerId, name, scopes)
    const { keyId, principal } = row
    const record = {
      key_id: keyId,
      principal,
      name,
      scopes: row.scopes,
      hash: Buffer.from(row.hash).toString('hex'),
      expires_at: row.expiresAt,
      ...(isOwn ? {} : { ledger: ledgerName }),
    }
    const admin = adminSubmission('deedbox.key.created', record, randomUUID())
    await this.#queue.submit([{ ...admin, newApiKey: row }])
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

  /** Every ledger of the file, this one first. */
  ledgers(): LedgerSummary[] {
    return this.#further.list()
  }

  /**
   * Adds a raw ledger to the file. The leaf of this ledger that records it and the ledger are stored in one
   * transaction; its signing key is `<name>.signing-key` in the keys folder.
   *
   * @param by who wants it, as the leaf says
   * @throws LedgerError `invalid_ledger`, `ledger_exists`, `ledger_lost` when the folder holds a key of that name
   */
  createLedger(request: LedgerRequest, by = 'in-process'): Promise<LedgerSummary> {
    return this.#further.create(request, async newLedger => {
      const { name, kind, origin, verifierKeys } = newLedger.row
      const record = { name, kind, origin, verifier_key: verifierKeys[0], by }
      const admin = adminSubmission('deedbox.ledger.created', record, randomUUID())
      await this.#queue.submit([{ ...admin, newLedger }])
    })
  }

  /**
   * The raw ledger of this name, opened for writing on first use and closed with this one.
   *
   * @throws LedgerError `unknown_ledger`, `invalid_ledger` for one of events, and why a ledger does not open
   */
  rawLedger(name: string): Promise<RawLedger> {
    return this.#further.raw(name)
  }

  /** What the ledger of this name shows to verifiers; undefined when the file has none of that name. */
  logOf(name: string): TiledLog | undefined {
    return name === this.about.name ? this : this.#further.log(name)
  }

  /** @throws LedgerError `unknown_event` */
  event(txId: string): StoredEvent {
    return storedEvent(this.#row(txId))
  }

  /** @throws LedgerError `invalid_query` */
  search(query: EventQuery = {}): EventPage & { events: StoredEvent[] } {
    const page = searchEvents(this.#reader, this.about.ledgerId, query)
    return { ...page, events: page.rows.map(storedEvent) }
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
    const read = tileSubtreeReader(nodeCrypto.sha256, (level, n) => this.storedTile(level, n), head.size)
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

  /** Waits for what is under way, publishes the newest checkpoint and closes the files. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.close()
    await this.#further.close()
    // The writer goes last: the last connection folds SQLite's log into the file, which a reader cannot.
    this.#reader.close()
    await this.#writer.close()
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
