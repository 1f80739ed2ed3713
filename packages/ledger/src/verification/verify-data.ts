import {
  leafHash,
  parseVerifierKey,
  RightEdge,
  tileWidth,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import {
  attestation,
  type LedgerRow,
  positionOf,
  type SqliteInspection,
  type SqliteReader,
} from '../store/index.ts'
import { ApiKeyCheck } from './api-key-check.ts'
import { damageOf } from './damage.ts'
import { type Finding, Findings } from './findings.ts'
import { IdempotencyCheck } from './idempotency-check.ts'
import { LedgerCheck } from './ledger-check.ts'
import { RawRowCheck } from './raw-row-check.ts'
import { type AuditedRow, RowCheck } from './row-check.ts'
import { SignedSizes } from './signed-sizes.ts'
import { TermCheck } from './term-check.ts'

const { sha256 } = nodeCrypto

/** What re-reading a whole ledger found. */
export interface DataReport {
  verdict: Verdict
  /** The first findings, in the order in which they were met; empty when all is well. */
  findings: Finding[]
  /** How many findings there were in all. */
  found: number
  /** Events whose every part and column was checked. */
  checked: number
  /** The ledger's name in its file. */
  ledger: string
  /** `raw`: what follows is about entries as they came, which have no parts and no columns. */
  kind: LedgerRow['kind']
  origin: string
  size: number
  /**
   * The time in the last leaf that was read, ISO 8601 in UTC; null without one. Of a raw ledger: the time beside it,
   * which is not in the leaf and which nothing vouches for.
   */
  newestAt: string | null
  /** Size of the largest checkpoint from outside the database that the ledger extends; 0: there was none. */
  keptSize: number
  /** The columns that nothing vouches for, as `table.column`: whoever can write the file can change them. */
  notAttested: string[]
}

/** What to check against. */
export interface DataCheck {
  /** The verifier keys that the caller brought along; empty: the ledger's own are used, and `ok` is `ok_unpinned`. */
  pinned: readonly VerifierKey[]
  /** A checkpoint that the caller kept: the ledger has to extend it. */
  kept?: string
  /** The note in this machine's rollback guard: the same. Read it before the call, or a writer may be ahead. */
  guard?: string
  onProgress?: (checked: number, size: number) => void
}

const progressEvery = 5_000

/**
 * Re-reads and re-derives everything: the file's tables and indexes, each leaf, each part against its commitment,
 * each search column against the part it came from, each tile, each published checkpoint, idempotency and API keys,
 * and the root against the signature (pitfall P1). Reads one snapshot, so it may run while the ledger is written.
 *
 * @throws LedgerError `storage_failed` when the system does not let the file be read; damage is a finding
 */
export function verifyData(reader: SqliteReader, ledger: LedgerRow, check: DataCheck): DataReport {
  return reader.snapshot(() => new DataVerification(reader, ledger, check).run())
}

class DataVerification {
  readonly #reader: SqliteReader
  readonly #ledger: LedgerRow
  readonly #check: DataCheck
  readonly #findings = new Findings()
  readonly #idempotency = new IdempotencyCheck(this.#findings)
  readonly #apiKeys: ApiKeyCheck
  readonly #ledgers = new LedgerCheck(this.#findings)
  readonly #tree = RightEdge.empty(sha256)
  #signed: SignedSizes | undefined
  #size = 0
  #next = 0
  #rows: RowCheck | RawRowCheck | undefined

  constructor(reader: SqliteReader, ledger: LedgerRow, check: DataCheck) {
    this.#reader = reader
    this.#ledger = ledger
    this.#check = check
    this.#apiKeys = new ApiKeyCheck(this.#findings, ledger.name)
  }

  run(): DataReport {
    try {
      if (this.#checkStructure()) this.#checkAll(this.#reader.inspection())
    } catch (error) {
      const damage = damageOf(error)
      if (damage === undefined) throw error
      this.#findings.add(
        'content_mismatch',
        `The file cannot be read from entry ${this.#next} on: ${damage}.`,
        this.#next,
      )
    }
    return this.#report()
  }

  /** @returns whether the tables are those of a ledger, so that the rows can be read */
  #checkStructure(): boolean {
    const differences = this.#reader.schemaDifferences()
    for (const { detail } of differences) this.#findings.add('index_mismatch', detail)
    for (const line of this.#reader.integrityProblems()) {
      this.#findings.add('index_mismatch', `SQLite's own check of the file: ${line}.`)
    }
    return differences.every(difference => difference.readable)
  }

  #checkAll(inspection: SqliteInspection): void {
    const { ledgerId } = this.#ledger
    const head = inspection.head(ledgerId)
    if (head === null || head.size < 0) {
      const what = head === null ? 'has no row of this ledger' : 'has no possible size'
      this.#findings.add(
        'index_mismatch',
        `Table heads ${what}: nothing says how many entries there should be.`,
      )
      return
    }
    this.#size = head.size
    const signed = this.#openSigned(inspection, head)
    signed.compare(this.#tree)
    // Raw entries have no columns, so nothing of them is searched.
    const terms =
      this.#ledger.kind === 'events'
        ? new TermCheck(this.#findings, inspection, positionOf(ledgerId, 0))
        : undefined
    const rows =
      terms === undefined
        ? new RawRowCheck(this.#ledger, this.#findings)
        : new RowCheck(this.#ledger, this.#findings, this.#idempotency, this.#apiKeys, this.#ledgers, terms)
    this.#rows = rows
    for (const row of inspection.events(ledgerId)) {
      if (!this.#take(row, rows, signed)) break
    }
    if (this.#next < this.#size) {
      this.#findings.add(
        'missing_index',
        `The events from ${this.#next} on are not there, or not all of them; ${this.#size} were signed.`,
        this.#next,
      )
      // Later leaves cannot be placed in the tree, and what names them cannot be judged.
      return
    }
    this.#checkTiles()
    this.#check.onProgress?.(this.#next, this.#size)
    if (head.at !== rows.lastAt) {
      this.#findings.add('index_mismatch', 'Table heads, column at: not the time of the newest leaf.')
    }
    const tiles = tilesOf(this.#size)
    const stored = inspection.tileCount(ledgerId)
    if (stored !== tiles) {
      this.#findings.add(
        'index_mismatch',
        `Table tiles has ${stored} rows; a tree of ${this.#size} has ${tiles} tiles.`,
      )
    }
    terms?.end()
    this.#idempotency.compare(inspection, ledgerId)
    this.#checkAdministration(inspection)
    for (const detail of inspection.strayRows(ledgerId)) this.#findings.add('index_mismatch', detail)
  }

  /** The file's events ledger has the leaves that say which API keys and further ledgers there are. */
  #checkAdministration(inspection: SqliteInspection): void {
    const ledgers = this.#reader.ledgers()
    if (this.#ledger.kind === 'events') {
      this.#apiKeys.compare(inspection, ledgers)
      this.#ledgers.compare(ledgers, this.#ledger.ledgerId)
    } else if (ledgers.every(({ kind }) => kind === 'raw')) {
      this.#findings.add('index_mismatch', 'Table ledgers has no events ledger; every file begins with one.')
    }
  }

  #openSigned(
    inspection: SqliteInspection,
    head: { size: number; root: Uint8Array; note: string },
  ): SignedSizes {
    const signed = new SignedSizes(this.#ledger.origin, this.#keys(), this.#findings)
    this.#signed = signed
    const newest = signed.open(head.note, 'the newest checkpoint')
    if (newest !== undefined && (newest.size !== head.size || Buffer.compare(newest.root, head.root) !== 0)) {
      this.#findings.add(
        'index_mismatch',
        'Table heads: size or root differ from the checkpoint signed for them.',
      )
    }
    for (const { size, note } of inspection.publishedCheckpoints(this.#ledger.ledgerId)) {
      const published = signed.open(note, `the published checkpoint of size ${size}`)
      if (published !== undefined && published.size !== size) {
        this.#findings.add(
          'index_mismatch',
          `Table checkpoints, column size: ${size} stands beside a checkpoint of ${published.size}.`,
        )
      }
    }
    const { kept, guard } = this.#check
    if (kept !== undefined) signed.open(kept, 'the checkpoint that you kept', true)
    if (guard !== undefined) signed.open(guard, "the checkpoint in this machine's rollback guard", true)
    signed.start(head.size)
    return signed
  }

  #keys(): readonly VerifierKey[] {
    if (this.#check.pinned.length > 0) return this.#check.pinned
    try {
      return this.#ledger.verifierKeys.map(key => parseVerifierKey(sha256, key))
    } catch (error) {
      this.#findings.add('bad_signature', `Table ledgers, column verifier_keys: ${String(error)}`)
      return []
    }
  }

  /** @returns whether the next row can be placed in the tree */
  #take(row: AuditedRow, rows: RowCheck | RawRowCheck, signed: SignedSizes): boolean {
    if (row.index >= this.#size) {
      this.#findings.add(
        'index_mismatch',
        `Table events has a row ${row.index} beyond the signed size ${this.#size}.`,
        row.index,
      )
      return false
    }
    if (row.index !== this.#next) return false
    rows.check(row)
    this.#tree.append(leafHash(sha256, row.leaf))
    this.#next++
    if (this.#next % 256 === 0) this.#checkTiles()
    signed.compare(this.#tree)
    if (this.#next % progressEvery === 0) this.#check.onProgress?.(this.#next, this.#size)
    return true
  }

  /** Compares the tiles that grew since the last call with the stored ones, hash by hash, and their full length. */
  #checkTiles(): void {
    for (const tile of this.#tree.takeChangedTiles()) {
      const stored = this.#reader.tile(this.#ledger.ledgerId, tile.level, tile.n) ?? new Uint8Array()
      const name = `Tile ${tile.n} of level ${tile.level}`
      if (Buffer.compare(stored.subarray(0, tile.hashes.length), tile.hashes) !== 0) {
        let hash = 0
        while (Buffer.compare(slot(stored, hash), slot(tile.hashes, hash)) === 0) hash++
        const index = (tile.n * 256 + hash) * 256 ** tile.level
        const what = tile.level === 0 ? `the leaf ${index}` : `the subtree that starts at ${index}`
        this.#findings.add('content_mismatch', `${name} holds another hash for ${what}.`, index)
      }
      const width = tileWidth(tile.level, tile.n, this.#size)
      if (tile.hashes.length === width * 32 && stored.length > width * 32) {
        this.#findings.add(
          'content_mismatch',
          `${name} goes on after the ${width} hashes that it should have.`,
        )
      }
    }
  }

  #report(): DataReport {
    const { worst, first, count } = this.#findings
    const { checked, lastAt } = this.#rows ?? { checked: 0, lastAt: 0 }
    const sound = this.#check.pinned.length > 0 ? 'ok' : 'ok_unpinned'
    return {
      verdict: worst?.verdict ?? (checked === 0 ? 'nothing_checked' : sound),
      findings: first,
      found: count,
      checked,
      ledger: this.#ledger.name,
      kind: this.#ledger.kind,
      origin: this.#ledger.origin,
      size: this.#size,
      newestAt: lastAt === 0 ? null : new Date(lastAt).toISOString(),
      keptSize: this.#signed?.keptSize ?? 0,
      notAttested: [...notAttested(), ...(this.#ledger.kind === 'raw' ? ['events.at', 'heads.at'] : [])],
    }
  }
}

function notAttested(): string[] {
  return Object.entries(attestation).flatMap(([table, columns]) =>
    Object.entries(columns)
      .filter(([, voucher]) => voucher === 'not attested')
      .map(([column]) => `${table}.${column}`),
  )
}

/** How many hash tiles a tree has. */
function tilesOf(size: number): number {
  let tiles = 0
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / 256)) tiles += Math.ceil(hashes / 256)
  return tiles
}

function slot(hashes: Uint8Array, i: number): Uint8Array {
  return hashes.subarray(i * 32, (i + 1) * 32)
}
