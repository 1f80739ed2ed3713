import { encodeEntryBundle, tileWidth } from '@deedbox/tlog'
import { LedgerError } from './errors.ts'
import type { HeadRow, SqliteReader } from './store/index.ts'

/** Which log it is. */
export interface LogDescription {
  /** Names the ledger inside its file only. */
  ledgerId: number
  name: string
  /** First line of every checkpoint. */
  origin: string
  /** The verifier keys whose signatures count, oldest first. */
  verifierKeys: string[]
}

/** What any ledger, of events or raw, shows to verifiers: its newest state, and C2SP tlog-tiles byte for byte. */
export class TiledLog {
  readonly #reader: SqliteReader
  readonly #about: LogDescription

  /** Reads only; whoever opened the reader closes it. */
  constructor(reader: SqliteReader, about: LogDescription) {
    this.#reader = reader
    this.#about = about
  }

  /** Name, origin and verifier keys. */
  get about(): LogDescription {
    return this.#about
  }

  /** The verifier key to hand out and to pin: who has it can check this ledger's signatures. */
  get verifierKey(): string {
    return this.about.verifierKeys.at(-1) ?? ''
  }

  /** The newest durable state of the tree. */
  head(): HeadRow {
    return this.#reader.head(this.#about.ledgerId)
  }

  /** The newest public checkpoint; before the first, the newest signed one (of the empty tree, usually). */
  checkpoint(): string {
    return this.#reader.publishedCheckpoint(this.#about.ledgerId) ?? this.head().note
  }

  /**
   * A hash tile of the given width, as C2SP tlog-tiles has it.
   *
   * @throws LedgerError `unknown_tile` when the tree is not that large (yet)
   */
  tile(level: number, n: number, width: number): Uint8Array {
    if (tileWidth(level, n, this.head().size) < width) throw unknownTile()
    return this.storedTile(level, n).subarray(0, width * 32)
  }

  /**
   * An entry bundle of the given width.
   *
   * @throws LedgerError `unknown_tile` when the tree is not that large (yet)
   */
  entries(n: number, width: number): Uint8Array {
    if (tileWidth(0, n, this.head().size) < width) throw unknownTile()
    return encodeEntryBundle(this.#reader.leaves(this.#about.ledgerId, n * 256, n * 256 + width))
  }

  /** A hash tile as wide as it is stored now. */
  protected storedTile(level: number, n: number): Uint8Array {
    return this.#reader.tile(this.#about.ledgerId, level, n) ?? new Uint8Array()
  }
}

function unknownTile(): LedgerError {
  return new LedgerError(
    'unknown_tile',
    'The tree has no such tile (yet). Ask for a smaller width or an earlier tile.',
  )
}
