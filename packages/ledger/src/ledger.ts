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
import {
  type ApiKeyView,
  type Authenticator,
  KeyAdministration,
  type KeyOptions,
  type RotationOptions,
  type Scope,
} from './access/index.ts'
import { type Acknowledgement, acknowledgement, type Refusal, refusal } from './acknowledgement.ts'
import { gravestFailure, LedgerError } from './errors.ts'
import { type EventInput, type EventSource, prepareEvent } from './events/index.ts'
import type { FurtherLedgers, LedgerRequest, LedgerSummary } from './further-ledgers.ts'
import { LedgerView } from './ledger-view.ts'
import {
  AnnouncementQueue,
  type ProducerFilters,
  type ProducerPage,
  producerPage,
  readAnnouncement,
} from './producers/index.ts'
import type { RawLedger } from './raw-ledger.ts'
import type { EventPage, EventQuery } from './search/index.ts'
import {
  adminSubmission,
  type CommitListener,
  CommitListeners,
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

/**
 * An open ledger of events: one tree, one origin, one list of signing keys. It keeps the administration of its file,
 * other ledgers of the file included. Get one from `openLedger`.
 */
export class Ledger extends TiledLog {
  readonly #writer: Writer
  readonly #reader: SqliteReader
  readonly #queue: Queue
  readonly #keys: KeyAdministration
  readonly #announcements: AnnouncementQueue
  readonly #further: FurtherLedgers
  readonly #commits: CommitListeners
  /** Tail, counts and export; what they show of this ledger is always committed. */
  readonly view: LedgerView
  #closing: Promise<void> | undefined

  /** Use `openLedger`. */
  constructor(
    writer: Writer,
    reader: SqliteReader,
    further: FurtherLedgers,
    commits: CommitListeners = new CommitListeners(),
  ) {
    super(reader, writer.ledger)
    this.#further = further
    this.#writer = writer
    this.#reader = reader
    this.#commits = commits
    this.#queue = new Queue(writer, commit => commits.tell(commit))
    this.#announcements = new AnnouncementQueue(said => writer.announce(said))
    this.view = new LedgerView(reader, writer.ledger.ledgerId)
    this.#keys = new KeyAdministration(writer, { submit: changes => this.#submit(changes) }, reader)
  }

  /** Name, origin, verifier keys, whether this opening created it, and sentences for the operator. */
  override get about(): OpenedLedger {
    return this.#writer.ledger
  }

  /** Tells callers by their API key. */
  get authenticator(): Authenticator {
    return this.#keys.authenticator
  }

  /** What the operator should know: from the opening, and from now. */
  get warnings(): string[] {
    const now = this.#writer.warning
    return [...this.about.warnings, ...(now === undefined ? [] : [now]), ...this.#further.warnings]
  }

  /** Why the newest write failed, or undefined while writing works. */
  get failure(): LedgerError | undefined {
    return gravestFailure([this.#writer.failure, this.#queue.failure, this.#further.failure])
  }

  /** Has a function told each transaction of this process, on any ledger of the file. Returns how to undo it. */
  onCommit(listener: CommitListener): () => void {
    return this.#commits.add(listener)
  }

  /** What waits to be stored by this process, or is on its way, by the name of the ledger. */
  queued(): ReadonlyMap<string, number> {
    return new Map([[this.about.name, this.#queue.depth], ...this.#further.queued()])
  }

  /** The ledgers of the file whose signing key is not at hand any more: they would not open again. */
  ledgersWithoutKey(): string[] {
    return this.#further.withoutKey()
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
   * Notes what a producer of events says about itself: an operational note, no entry of the ledger.
   *
   * @param announcement as the body of `POST /v1/producers`
   * @param principal who writes for it
   * @throws LedgerError `invalid_event`, `overloaded`, and why it cannot be stored
   */
  async announce(announcement: object, principal = 'in-process'): Promise<void> {
    const said = readAnnouncement(announcement)
    await this.#announcements.add({ principal: checkedPrincipal(principal), said })
  }

  /** The producers of this ledger's events, and which of their numbers are missing. @throws LedgerError `invalid_query` */
  producers(filters: ProducerFilters = {}): ProducerPage {
    const { ledgerId } = this.about
    return producerPage(filters, query => this.#reader.producers(ledgerId, query), Date.now())
  }

  /**
   * Creates an API key of this ledger or of another one of the file. The leaf that records it and the key are stored in
   * one transaction.
   *
   * @throws LedgerError `invalid_option` when the text cannot be a key, `invalid_key_settings`, `unknown_ledger`,
   *   `key_conflict` when the text is a key already
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

  /** The API keys of all ledgers of the file, oldest first, ended ones too. */
  apiKeys(): ApiKeyView[] {
    return this.#keys.list()
  }

  /** Whether this key text is known already, valid or not. */
  hasApiKey(key: string): boolean {
    return this.#keys.has(key)
  }

  /** How many API keys this ledger has, those of other ledgers of the file not counted. */
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
      await this.#submit([{ ...admin, adminChange: { do: 'create_ledger', ledger: newLedger } }])
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
    await this.#announcements.idle()
    await this.#keys.close()
    this.view.close()
    await this.#further.close()
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
}

function submission(event: EventInput, principal: string, source: EventSource): Submission {
  const prepared = prepareEvent(event, source)
  const requestId = prepared.requestId ?? randomUUID()
  return { kind: 'event', principal: checkedPrincipal(principal), event: prepared, requestId }
}

function checkedPrincipal(principal: string): string {
  if (typeof principal === 'string' && /^[\x20-\x7e]{1,255}$/.test(principal)) return principal
  throw new LedgerError('invalid_option', 'A principal is 1 to 255 visible ASCII characters.')
}
