import {
  type Checkpoint,
  type EventLeaf,
  leafHash,
  matchesCommitment,
  openCheckpoint,
  parseEventLeaf,
  parseVerifierKey,
  parts,
  RightEdge,
  TlogError,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { columnNames, deriveColumns } from '../events/index.ts'
import { indexOfTxId } from '../sequencer/index.ts'
import type { EventRow, LedgerRow, SqliteReader } from '../store/index.ts'
import { partOf } from '../stored-event.ts'

const { sha256 } = nodeCrypto

/** One thing that is not as it was signed. */
export interface Finding {
  verdict: Verdict
  /** The event that it concerns, if it concerns one. */
  index?: number
  /** Names table, column or part, and what is wrong. */
  detail: string
}

/** What re-reading a whole ledger found. */
export interface DataReport {
  verdict: Verdict
  /** The first findings, in the order of the ledger; empty when all is well. */
  findings: Finding[]
  /** How many findings there were in all. */
  found: number
  /** Events whose every part and column was checked. */
  checked: number
  origin: string
  size: number
}

/** What to check against. */
export interface DataCheck {
  /** The verifier keys that the caller brought along; empty: the ledger's own are used, and `ok` is `ok_unpinned`. */
  pinned: readonly VerifierKey[]
  /** A checkpoint that the caller kept: the ledger has to extend it. */
  kept?: string
  onProgress?: (checked: number, size: number) => void
}

const keptFindings = 20
const progressEvery = 5_000

/**
 * Re-reads and re-derives everything: each leaf, each part against its commitment, each search column against the
 * part it came from, each tile, each published checkpoint, and the root against the signature (pitfall P1).
 * Reads one snapshot, so it may run while the ledger is written.
 */
export function verifyData(reader: SqliteReader, ledger: LedgerRow, check: DataCheck): DataReport {
  return reader.snapshot(() => new DataVerification(reader, ledger, check).run())
}

class DataVerification {
  readonly #reader: SqliteReader
  readonly #ledger: LedgerRow
  readonly #check: DataCheck
  readonly #keys: VerifierKey[]
  readonly #tree = RightEdge.empty(sha256)
  readonly #report: DataReport
  /** Signed tree sizes still ahead of the reading position, smallest first. */
  #ahead: { checkpoint: Checkpoint; what: string }[] = []
  #lastAt = 0

  constructor(reader: SqliteReader, ledger: LedgerRow, check: DataCheck) {
    this.#reader = reader
    this.#ledger = ledger
    this.#check = check
    const own = () => ledger.verifierKeys.map(key => parseVerifierKey(sha256, key))
    this.#keys = check.pinned.length > 0 ? [...check.pinned] : own()
    const { size } = reader.head(ledger.ledgerId)
    this.#report = {
      verdict: 'nothing_checked',
      findings: [],
      found: 0,
      checked: 0,
      origin: ledger.origin,
      size,
    }
  }

  run(): DataReport {
    const report = this.#report
    this.#openCheckpoints()
    let next = 0
    for (const row of this.#reader.events(this.#ledger.ledgerId)) {
      if (row.index >= report.size) {
        this.#find(
          'index_mismatch',
          `Table events has a row ${row.index} beyond the signed size ${report.size}.`,
          row.index,
        )
        break
      }
      if (row.index !== next) {
        // Later leaves cannot be placed in the tree without the missing ones.
        this.#find(
          'missing_index',
          `The event ${next} is not there; the next one stored is ${row.index}.`,
          next,
        )
        return this.#conclude()
      }
      this.#checkRow(row)
      this.#tree.append(leafHash(sha256, row.leaf))
      next++
      if (next % 256 === 0) this.#checkTiles()
      this.#checkSignedSizes()
      if (next % progressEvery === 0) this.#check.onProgress?.(next, report.size)
    }
    if (next < report.size) {
      this.#find(
        'missing_index',
        `The events from ${next} on are not there; ${report.size} were signed.`,
        next,
      )
      return this.#conclude()
    }
    this.#checkTiles()
    this.#check.onProgress?.(next, report.size)
    return this.#conclude()
  }

  #openCheckpoints(): void {
    const head = this.#reader.head(this.#ledger.ledgerId)
    const signed = this.#open(head.note, 'The newest checkpoint')
    if (signed !== undefined) {
      const fits = signed.size === head.size && Buffer.compare(signed.root, head.root) === 0
      if (!fits)
        this.#find('index_mismatch', 'Table heads: size or root differ from the checkpoint signed for them.')
      this.#ahead.push({ checkpoint: signed, what: 'the newest checkpoint' })
    }
    for (const { size, note } of this.#reader.publishedCheckpoints(this.#ledger.ledgerId)) {
      const published = this.#open(note, `The published checkpoint of size ${size}`)
      if (published === undefined) continue
      if (published.size !== size) {
        this.#find(
          'index_mismatch',
          `Table checkpoints, column size: ${size} stands beside a checkpoint of ${published.size}.`,
        )
      }
      this.#ahead.push({ checkpoint: published, what: `the published checkpoint of size ${size}` })
    }
    if (this.#check.kept !== undefined) {
      const kept = this.#open(this.#check.kept, 'The checkpoint that you kept')
      if (kept !== undefined) this.#ahead.push({ checkpoint: kept, what: 'the checkpoint that you kept' })
    }
    this.#ahead.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
    for (const { checkpoint, what } of this.#ahead) {
      if (checkpoint.size > head.size) {
        this.#find('truncated', `There are ${head.size} entries, but ${what} has ${checkpoint.size}.`)
      }
    }
    this.#checkSignedSizes()
  }

  #open(note: string, what: string): Checkpoint | undefined {
    try {
      const checkpoint = openCheckpoint(nodeCrypto, note, this.#keys)
      if (checkpoint.extensions.length > 0) {
        this.#find('bad_signature', `${what} has extension lines, which no Deedbox ledger signs.`)
      } else if (checkpoint.origin === this.#ledger.origin) return checkpoint
      else this.#find('bad_signature', `${what} is of another log: ${checkpoint.origin}.`)
    } catch (error) {
      this.#find(
        'bad_signature',
        `${what} does not hold: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    return undefined
  }

  #checkRow(row: EventRow & { ledgerColumn: number }): void {
    const before = this.#report.found
    const leaf = this.#readLeaf(row)
    if (leaf === undefined) return
    const meta: Record<string, unknown> = {}
    for (const part of parts) {
      const shown = partOf(row, part)
      if (shown === null) {
        this.#find(
          'content_missing',
          `The ${part} of event ${row.index} is gone, and no erasure names it.`,
          row.index,
        )
      } else if (!matchesCommitment(nodeCrypto, leaf, part, shown)) {
        this.#find(
          'content_mismatch',
          `The ${part} of event ${row.index} is not what was committed to.`,
          row.index,
        )
      } else if (part === 'core' || part === 'context') {
        Object.assign(meta, JSON.parse(Buffer.from(shown.content).toString('utf8')))
      }
    }
    if (this.#report.found === before) this.#checkColumns(row, leaf, meta)
    if (this.#report.found === before) this.#report.checked++
  }

  #readLeaf(row: EventRow): EventLeaf | undefined {
    let leaf: EventLeaf
    try {
      leaf = parseEventLeaf(row.leaf)
    } catch (error) {
      const later = error instanceof TlogError && error.code === 'unknown_version'
      this.#find(
        later ? 'unknown_version' : 'content_mismatch',
        `The leaf ${row.index} cannot be read: ${error}`,
        row.index,
      )
      return undefined
    }
    const at = Date.parse(leaf.at)
    if (leaf.ledger !== this.#ledger.origin || indexOfTxId(leaf.tx_id) !== row.index || at < this.#lastAt) {
      this.#find(
        'content_mismatch',
        `The leaf ${row.index} belongs to another ledger, place or time.`,
        row.index,
      )
    }
    this.#lastAt = at
    return leaf
  }

  #checkColumns(row: EventRow & { ledgerColumn: number }, leaf: EventLeaf, meta: object): void {
    const expected: Record<string, unknown> = {
      ...deriveColumns(meta),
      at: Date.parse(leaf.at),
      kind: leaf.kind,
      ledger_id: this.#ledger.ledgerId,
    }
    const stored: Record<string, unknown> = {
      ...row.columns,
      at: row.at,
      kind: row.kind,
      ledger_id: row.ledgerColumn,
    }
    for (const column of [...columnNames, 'at', 'kind', 'ledger_id']) {
      if (stored[column] === expected[column]) continue
      this.#find(
        'index_mismatch',
        `Table events, row ${row.index}, column ${column}: not what the event says.`,
        row.index,
      )
    }
  }

  /** Compares the tiles completed since the last call with the stored ones, hash by hash. */
  #checkTiles(): void {
    for (const tile of this.#tree.takeChangedTiles()) {
      const stored = this.#reader.tile(this.#ledger.ledgerId, tile.level, tile.n) ?? new Uint8Array()
      const same = Buffer.compare(stored.subarray(0, tile.hashes.length), tile.hashes) === 0
      if (same) continue
      let hash = 0
      while (Buffer.compare(slot(stored, hash), slot(tile.hashes, hash)) === 0) hash++
      const index = (tile.n * 256 + hash) * 256 ** tile.level
      const what = tile.level === 0 ? `the leaf ${index}` : `the subtree that starts at ${index}`
      this.#find(
        'content_mismatch',
        `Tile ${tile.n} of level ${tile.level} holds another hash for ${what}.`,
        index,
      )
    }
  }

  #checkSignedSizes(): void {
    while (this.#ahead.length > 0 && this.#ahead[0]!.checkpoint.size <= this.#tree.size) {
      const { checkpoint, what } = this.#ahead.shift()!
      if (checkpoint.size === this.#tree.size && Buffer.compare(checkpoint.root, this.#tree.root()) === 0)
        continue
      this.#find('fork', `What is stored does not hash to ${what}: these are two histories.`)
    }
  }

  #find(verdict: Verdict, detail: string, index?: number): void {
    this.#report.found++
    if (this.#report.findings.length === keptFindings) return
    this.#report.findings.push({ verdict, detail, ...(index === undefined ? {} : { index }) })
  }

  /** What is wrong with one event says more than that the whole no longer fits a signature. */
  #conclude(): DataReport {
    const { findings, checked } = this.#report
    const worst = findings.find(finding => finding.index !== undefined) ?? findings[0]
    const sound = this.#check.pinned.length > 0 ? 'ok' : 'ok_unpinned'
    this.#report.verdict = worst?.verdict ?? (checked === 0 ? 'nothing_checked' : sound)
    return this.#report
  }
}

function slot(hashes: Uint8Array, i: number): Uint8Array {
  return hashes.subarray(i * 32, (i + 1) * 32)
}
