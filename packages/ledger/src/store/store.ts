import type { EventColumns } from '../events/index.ts'
import type { ProducerRow } from '../producers/index.ts'

/**
 * What the ledger asks of a database. Every obligation here is checked by the store conformance suite
 * (`test/stores/`), with several processes on one database and with failures injected at every step.
 *
 * The write side is asynchronous because a network database is; a store that is synchronous underneath
 * (SQLite in its writer thread) simply resolves.
 */
export interface LedgerStore {
  /**
   * Runs `work` in one serialisable read-write transaction.
   *
   * Obligations: transactions of all processes on this database are strictly one after the other, from the first
   * read inside to the commit. Once the promise resolves, everything written is durable: it survives the loss of
   * the process and of power. If it rejects with anything but {@link CommitOutcomeUnknown}, nothing was written.
   */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T> | T): Promise<T>
  /** Drops every connection and cache and opens anew; the only safe move after an unknown outcome. */
  reopen(): Promise<void>
  close(): Promise<void>
}

/** The commit itself failed or was cut off: whether it happened is not known. The right answer is to re-read. */
export class CommitOutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super('The database did not say whether the last transaction was committed.', { cause })
    this.name = 'CommitOutcomeUnknown'
  }
}

/** What a ledger is, fixed at its creation. */
export interface LedgerRow {
  /** Small positive integer; names the ledger inside its database only. */
  ledgerId: number
  name: string
  /** First line of every checkpoint; never changes. */
  origin: string
  kind: 'events' | 'raw'
  createdAt: string
  /** The verifier keys whose signatures count, oldest first. */
  verifierKeys: string[]
  /** Proves that a process holds the secret under which idempotency keys are hashed. 32 bytes. */
  dedupCheck: Uint8Array
}

/** The newest state of a ledger's tree. */
export interface HeadRow {
  /** Number of leaves. */
  size: number
  /** Root hash of the tree of that size, 32 bytes. */
  root: Uint8Array
  /** Time of the newest leaf, milliseconds since the epoch; 0 before the first. Never decreases. */
  at: number
  /** The checkpoint of this size, signed. */
  note: string
}

/** The four committed parts of an event and the salt of each; null once erased. */
export interface EventParts {
  coreSalt: Uint8Array | null
  core: Uint8Array | null
  contextSalt: Uint8Array | null
  context: Uint8Array | null
  payloadSalt: Uint8Array | null
  payload: Uint8Array | null
  serverSalt: Uint8Array | null
  server: Uint8Array | null
}

/** One stored leaf with its content. */
export interface EventRow extends EventParts {
  index: number
  /** The exact bytes that the tree hashes. */
  leaf: Uint8Array
  /** Milliseconds since the epoch; derived from the leaf. */
  at: number
  /** Derived from the leaf. */
  kind: 'event' | 'erasure' | 'retention' | 'admin'
  /** Derived from `core` and `context`. */
  columns: EventColumns
}

/** One stored leaf of a raw ledger: the caller's bytes, and when they came, which nothing vouches for. */
export interface RawLeafRow {
  index: number
  leaf: Uint8Array
  /** Milliseconds since the epoch. Not in the leaf, so nobody can prove it. */
  at: number
}

/** A hash tile as stored: `width` is how many hashes it holds, 1 to 256. */
export interface TileRow {
  level: number
  n: number
  width: number
  hashes: Uint8Array
}

/** Remembers that an idempotency key was used: both values are keyed hashes, never the texts. */
export interface IdempotencyRow {
  /** Six bytes of time (for keys that carry one, else of the hash) and a 32-byte keyed hash. */
  keyHash: Uint8Array
  /** Keyed hash of meta and payload, 32 bytes. */
  fingerprint: Uint8Array
  index: number
  /** The first event under the same key; equal to `index` unless this one amends it. */
  firstIndex: number
}

/** An API key as stored: its secret is not in here, only the SHA-256 of it. */
export interface ApiKeyRow {
  keyId: string
  ledgerId: number
  /** The writer that survives the rotation of its keys. */
  principal: string
  name: string
  /** SHA-256 of the whole key text, 32 bytes. */
  hash: Uint8Array
  scopes: string[]
  /** Milliseconds since the epoch, as all times here: that of the leaf that records the creation. */
  createdAt: number
  /** From then on it is refused; null: never. */
  expiresAt: number | null
  revokedAt: number | null
  /** The key that took its place in a rotation. */
  replacedBy: string | null
  /** A note without proof, up to a minute old; null: not yet. */
  lastUsedAt: number | null
}

/** A key was used, at a time in milliseconds since the epoch. */
export interface KeyUse {
  keyId: string
  at: number
}

/** One transaction. Every call is about the database's state as of now, own writes included. */
export interface StoreTransaction {
  ledgers(): Promise<LedgerRow[]> | LedgerRow[]
  /** Creates the ledger and its head row (size 0) together, so that appenders always have a row to contend for. */
  createLedger(row: Omit<LedgerRow, 'ledgerId'>, head: HeadRow): Promise<number> | number
  /** The head, locked against every other transaction until this one ends. */
  head(ledgerId: number): Promise<HeadRow> | HeadRow
  /** Compare-and-swap. Returns false, and writes nothing, when the stored head is not `from`. */
  moveHead(ledgerId: number, from: HeadRow, to: HeadRow): Promise<boolean> | boolean
  /** The stored bytes of a tile, or null. May hold more hashes than the caller's tree size needs, never fewer. */
  readTile(ledgerId: number, level: number, n: number): Promise<Uint8Array | null> | Uint8Array | null
  writeTiles(ledgerId: number, tiles: TileRow[]): Promise<void> | void
  /** Fails, and with it the transaction, if an index is taken. */
  insertEvents(ledgerId: number, rows: EventRow[]): Promise<void> | void
  /** The same for the leaves of a raw ledger: their parts and columns stay empty, their kind is `raw`. */
  insertRawLeaves(ledgerId: number, rows: RawLeafRow[]): Promise<void> | void
  /** The leaf at an index, or null. */
  readLeaf(ledgerId: number, index: number): Promise<Uint8Array | null> | Uint8Array | null
  /** The use of a key with exactly this content; else any use of the key, which names the first; else null. */
  findIdempotency(
    ledgerId: number,
    keyHash: Uint8Array,
    fingerprint: Uint8Array,
  ): Promise<IdempotencyRow | null> | IdempotencyRow | null
  insertIdempotency(ledgerId: number, rows: IdempotencyRow[]): Promise<void> | void
  /** Keeps a checkpoint for ever: it is public from now on. Publishing the same size again changes nothing. */
  publishCheckpoint(ledgerId: number, size: number, note: string, at: number): Promise<void> | void
  insertApiKey(row: ApiKeyRow): Promise<void> | void
  /** Of any ledger of the database: a key's text is unique in it. */
  apiKeyByHash(hash: Uint8Array): Promise<ApiKeyRow | null> | ApiKeyRow | null
  apiKey(keyId: string): Promise<ApiKeyRow | null> | ApiKeyRow | null
  /** Stores `expiresAt`, `revokedAt` and `replacedBy` of the row with this `keyId`; nothing else of a key changes. */
  updateApiKey(row: ApiKeyRow): Promise<void> | void
  /** Notes uses; a later use that is noted already stays. */
  touchApiKeys(uses: readonly KeyUse[]): Promise<void> | void
  /** What is known of a producer of this writer, or null. */
  producer(
    ledgerId: number,
    principal: string,
    producerId: string,
  ): Promise<ProducerRow | null> | ProducerRow | null
  /** Puts a producer in, or in the place of what was known of it. */
  saveProducer(ledgerId: number, row: ProducerRow): Promise<void> | void
  /**
   * Forgets a writer's producers beyond `most`: first those that ended with nothing missing, then the others; of each
   * those first that were not heard of for the longest time.
   */
  pruneProducers(ledgerId: number, principal: string, most: number): Promise<void> | void
}
