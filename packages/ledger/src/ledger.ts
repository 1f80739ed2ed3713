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
import {
  type ApiKeyView,
  type Authenticator,
  KeyAdministration,
  type KeyOptions,
  type RotationOptions,
  type Scope,
} from './access/index.ts'
import { type Acknowledgement, acknowledgement, type Refusal, refusal } from './acknowledgement.ts'
import { LedgerError } from './errors.ts'
import { type EventInput, type EventSource, prepareEvent } from './events/index.ts'
import { LedgerView } from './ledger-view.ts'
import type { EventPage, EventQuery } from './search/index.ts'
import {
  indexOfTxId,
  type OpenedLedger,
  Queue,
  type Sequenced,
  type Submission,
  type Writer,
} from './sequencer/index.ts'
import type { EventRow, HeadRow, SqliteReader } from './store/index.ts'
import { partOf, type StoredEvent, storedEvent } from './stored-event.ts'

/** An open ledger: one tree, one origin, one list of signing keys. Get one from `openLedger`. */
export class Ledger {
  readonly #writer: Writer
  readonly #reader: SqliteReader
  readonly #queue: Queue
  readonly #keys: KeyAdministration
  /** Tail, counts and export; what they show of this ledger is always committed. */
  readonly view: LedgerView
  #closing: Promise<void> | undefined

  /** Use `openLedger`. */
  constructor(writer: Writer, reader: SqliteReader) {
    this.#writer = writer
    this.#reader = reader
    this.#queue = new Queue(writer)
    this.view = new LedgerView(reader, writer.ledger.ledgerId)
    this.#keys = new KeyAdministration(writer, { submit: changes => this.#submit(changes) }, reader)
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
    return this.#keys.authenticator
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
   * @param source `parser` for what came out of `parseStrictJson`
   * @throws LedgerError why it was refused; nothing is stored then (`outcome_unknown` excepted)
   */
  async append(
    event: EventInput,
    principal = 'in-process',
    source: EventSource = 'caller',
  ): Promise<Acknowledgement> {
    const [result] = await this.#submit([submission(event, principal, source)])
    return acknowledgement(result!)
  }

  /**
   * Stores events durably, the valid ones in one transaction. Never rejects: one result per event, in order.
   */
  appendBatch(
    events: readonly EventInput[],
    principal = 'in-process',
    source: EventSource = 'caller',
  ): Promise<(Acknowledgement | Refusal)[]> {
    const results: (Acknowledgement | Refusal | undefined)[] = []
    const valid: Submission[] = []
    for (const event of events) {
      try {
        valid.push(submission(event, principal, source))
        results.push(undefined)
      } catch (error) {
        results.push(refusal(error))
      }
    }
    // No function that waits here holds the events: large batches under way would fill the memory.
    return this.#submit(valid).then(
      stored => {
        let next = 0
        return results.map(result => result ?? acknowledgement(stored[next++]!))
      },
      (error: unknown) => results.map(result => result ?? refusal(error)),
    )
  }

  /**
   * Creates an API key. The leaf that records it and the key are stored in one transaction.
   *
   * @throws LedgerError `invalid_option` when the text cannot be a key, `invalid_key_settings`, `key_conflict` when
   *   the text is a key already
   */
  createApiKey(
    key: string,
    name: string,
    scopes: readonly Scope[],
    options: KeyOptions = {},
  ): Promise<{ keyId: string; principal: string }> {
    return this.#keys.create(key, name, scopes, options)
  }

  /**
   * Puts a new key into the place of an old one: same principal, name, scopes and length of life, so idempotency goes
   * on. The old one works until the overlap is over. The text of the new key is in the answer and nowhere else.
   *
   * @throws LedgerError `unknown_key`, `key_conflict` when it was revoked or replaced already, `invalid_key_settings`
   */
  rotateApiKey(
    keyId: string,
    options: RotationOptions = {},
  ): Promise<{ key: string; keyId: string; principal: string }> {
    return this.#keys.rotate(keyId, options)
  }

  /**
   * Ends a key for good: this process refuses it from now on, every other one on the same file within a second.
   *
   * @param options `by`: who does it; default `local`
   * @throws LedgerError `unknown_key`, `key_conflict` when it was revoked already
   */
  revokeApiKey(keyId: string, options: { by?: string } = {}): Promise<void> {
    return this.#keys.revoke(keyId, options)
  }

  /** The API keys, oldest first: all of them, ended ones too. */
  apiKeys(): ApiKeyView[] {
    return this.#keys.list()
  }

  /** Whether this key text is known already, valid or not. */
  hasApiKey(key: string): boolean {
    return this.#keys.has(key)
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
    await this.#keys.close()
    this.view.close()
    // The writer goes last: the last connection folds SQLite's log into the file, which a reader cannot.
    this.#reader.close()
    await this.#writer.close()
  }

  #submit(submissions: Submission[]): Promise<Sequenced[]> {
    return this.#queue.submit(submissions).then(results => {
      this.view.look()
      return results
    })
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

function submission(event: EventInput, principal: string, source: EventSource): Submission {
  const prepared = prepareEvent(event, source)
  if (typeof principal !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(principal)) {
    throw new LedgerError('invalid_option', 'A principal is 1 to 255 visible ASCII characters.')
  }
  return { kind: 'event', principal, event: prepared, requestId: prepared.requestId ?? randomUUID() }
}

function unknownTile(): LedgerError {
  return new LedgerError(
    'unknown_tile',
    'The tree has no such tile (yet). Ask for a smaller width or an earlier tile.',
  )
}
