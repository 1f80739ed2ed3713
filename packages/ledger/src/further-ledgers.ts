import { gravestFailure, LedgerError } from './errors.ts'
import type { RawLedger } from './raw-ledger.ts'
import { type FurtherLedger, type NewLedger, prepareFurtherLedger } from './sequencer/index.ts'
import { keyFileAtHand, markKeyUsed, namesInKeyText, type SigningKeySource } from './signing/index.ts'
import type { LedgerRow, SqliteReader } from './store/index.ts'
import { TiledLog } from './tiled-log.ts'

/** A ledger of a file, as lists show it. */
export interface LedgerSummary {
  name: string
  /** What it is for life: `events`, or `raw`. */
  kind: LedgerRow['kind']
  origin: string
  /** Oldest first. */
  verifierKeys: string[]
  /** Entries in its tree. */
  size: number
  /** ISO 8601 in UTC. */
  createdAt: string
}

/** A ledger that somebody asks for. */
export interface LedgerRequest extends FurtherLedger {
  /** `raw`: a file has one events ledger, its first. */
  kind: LedgerRow['kind']
}

/** All ledgers of a file, the first one first. */
export function ledgerSummaries(reader: SqliteReader): LedgerSummary[] {
  return reader.ledgers().map(({ ledgerId, name, kind, origin, verifierKeys, createdAt }) => {
    return { name, kind, origin, verifierKeys, size: reader.head(ledgerId).size, createdAt }
  })
}

/** The ledgers of a file beside the first, which keeps the administration of all of them. */
export class FurtherLedgers {
  readonly #reader: SqliteReader
  readonly #keys: SigningKeySource
  readonly #open: (name: string) => Promise<RawLedger>
  /** Opened on first use, once. */
  readonly #opening = new Map<string, Promise<RawLedger>>()
  readonly #opened: RawLedger[] = []
  #lastCreation: Promise<unknown> = Promise.resolve()
  #closed = false

  /** @param open opens a raw ledger of the same file for writing */
  constructor(reader: SqliteReader, keys: SigningKeySource, open: (name: string) => Promise<RawLedger>) {
    this.#reader = reader
    this.#keys = keys
    this.#open = open
  }

  /** All ledgers of the file, the first one first. */
  list(): LedgerSummary[] {
    return ledgerSummaries(this.#reader)
  }

  /** @throws LedgerError `unknown_ledger` */
  row(name: string): LedgerRow {
    const row = this.#find(name)
    if (row === undefined)
      throw new LedgerError('unknown_ledger', `There is no ledger "${name}" in this file.`)
    return row
  }

  /** What the ledger of this name shows to verifiers, or undefined. */
  log(name: string): TiledLog | undefined {
    const row = this.#find(name)
    return row === undefined ? undefined : new TiledLog(this.#reader, row)
  }

  /**
   * The raw ledger of this name, opened for writing on first use and closed with this one.
   *
   * @throws LedgerError `unknown_ledger`, `invalid_ledger` for one of events, and why a ledger does not open
   */
  async raw(name: string): Promise<RawLedger> {
    const known = this.#opening.get(name)
    if (known !== undefined) return known
    if (this.row(name).kind !== 'raw') {
      throw new LedgerError(
        'invalid_ledger',
        `The ledger "${name}" keeps events: send them to POST /v1/events. Only a raw ledger takes bytes as they are.`,
      )
    }
    if (this.#closed)
      throw new LedgerError('ledger_stopped', 'The ledger was closed. Open it again to append.')
    const opening = this.#open(name)
    this.#opening.set(name, opening)
    try {
      const opened = await opening
      this.#opened.push(opened)
      return opened
    } catch (error) {
      // The cause may be gone at the next attempt: a missing key is put back, a full disk is emptied.
      this.#opening.delete(name)
      throw error
    }
  }

  /**
   * Creates a ledger: its key is on disk before `store` commits its row and its leaf, and gets its own name after.
   *
   * @param store stores the ledger and the leaf that records it in one transaction
   * @throws LedgerError `invalid_ledger`, `ledger_exists`, and whatever `store` throws
   */
  create(request: LedgerRequest, store: (ledger: NewLedger) => Promise<void>): Promise<LedgerSummary> {
    const creation = this.#lastCreation.then(async () => {
      const { kind, name, origin } = request
      if (kind !== 'raw') {
        throw new LedgerError(
          'invalid_ledger',
          'Only raw ledgers can be added: a file has one events ledger, its first. For more of them use more files.',
        )
      }
      const named = this.#keys.text !== undefined && namesInKeyText(this.#keys.text).includes(origin ?? '')
      const source = named ? this.#keys : { folder: this.#keys.folder }
      const made = prepareFurtherLedger(source, { name, ...(origin === undefined ? {} : { origin }) }, () =>
        this.#reader.ledgers(),
      )
      await store(made)
      markKeyUsed(source, name)
      const { verifierKeys, createdAt } = made.row
      return { name, kind, origin: made.row.origin, verifierKeys, size: 0, createdAt }
    })
    this.#lastCreation = creation.catch(() => undefined)
    return creation
  }

  /** What waits in those that are open, by their names. */
  queued(): [string, number][] {
    return this.#opened.map(ledger => [ledger.about.name, ledger.queued])
  }

  /** The names of all ledgers of the file whose signing key is not at hand, the first one's included. */
  withoutKey(): string[] {
    const { folder, text } = this.#keys
    const given = text === undefined ? [] : namesInKeyText(text)
    return this.#reader
      .ledgers()
      .filter(({ name, origin }) => !given.includes(origin) && keyFileAtHand(folder, name) === null)
      .map(({ name }) => name)
  }

  /** What the operator should know about those that are open, each with its name. */
  get warnings(): string[] {
    return this.#opened.flatMap(ledger => ledger.warnings.map(text => `${ledger.about.name}: ${text}`))
  }

  /** Why the newest write of one of them failed. */
  get failure(): LedgerError | undefined {
    return gravestFailure(this.#opened.map(ledger => ledger.failure))
  }

  #find(name: string): LedgerRow | undefined {
    return this.#reader.ledgers().find(row => row.name === name)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#lastCreation
    const opened = await Promise.allSettled(this.#opening.values())
    await Promise.all(opened.map(each => (each.status === 'fulfilled' ? each.value.close() : undefined)))
  }
}
