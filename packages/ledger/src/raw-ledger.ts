import { maxEntryLength } from '@deedbox/tlog'
import { LedgerError } from './errors.ts'
import { CommitListeners, type OpenedLedger, Queue, type Writer } from './sequencer/index.ts'
import type { SqliteReader } from './store/index.ts'
import { TiledLog } from './tiled-log.ts'

/**
 * An open raw ledger: the bytes of each entry are its leaf, and nothing is added to them. So there is no time, no id
 * and no idempotency in it: the same bytes twice are two entries. Get one from `openRawLedger`.
 */
export class RawLedger extends TiledLog {
  readonly #writer: Writer<Uint8Array, number>
  readonly #reader: SqliteReader
  readonly #queue: Queue<Uint8Array, number>
  #closing: Promise<void> | undefined

  /** Use `openRawLedger`. */
  constructor(
    writer: Writer<Uint8Array, number>,
    reader: SqliteReader,
    commits: CommitListeners = new CommitListeners(),
  ) {
    super(reader, writer.ledger)
    this.#writer = writer
    this.#reader = reader
    this.#queue = new Queue(writer, commit => commits.tell(commit))
  }

  /** Name, origin, verifier keys, and sentences for the operator. */
  override get about(): OpenedLedger {
    return this.#writer.ledger
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

  /** Entries that wait to be stored, or are on their way. */
  get queued(): number {
    return this.#queue.depth
  }

  /**
   * Appends one entry durably.
   *
   * @param bytes 0 to 65,535 bytes, copied before this returns. C2SP tlog-tiles writes the length of an entry in 16
   *   bits and allows any, the empty one included
   * @returns the entry's index in the tree, from 0
   * @throws LedgerError why it was refused; nothing is stored then (`outcome_unknown` excepted)
   */
  async add(bytes: Uint8Array): Promise<number> {
    if (!(bytes instanceof Uint8Array)) {
      throw new LedgerError('invalid_option', 'An entry of a raw ledger is a Uint8Array or a Buffer.')
    }
    if (bytes.length > maxEntryLength) {
      throw new LedgerError(
        'payload_too_large',
        `An entry has at most ${maxEntryLength} bytes, not ${bytes.length}. Store the content elsewhere and its hash here.`,
      )
    }
    // A copy of just these bytes: a Buffer is often a view into a larger memory, which would cross into the thread.
    const [index] = await this.#queue.submit([new Uint8Array(bytes)])
    return index!
  }

  /** Waits for what is under way, publishes the newest checkpoint and closes the files. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.close()
    this.#reader.close()
    await this.#writer.close()
  }
}
