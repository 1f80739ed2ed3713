import { randomBytes } from 'node:crypto'
import {
  hashSize,
  parseVerifierKey,
  proveConsistency,
  RightEdge,
  tileSubtreeReader,
  tileWidth,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { HeadRow, LedgerRow, SqliteInspection, SqliteReader } from '../store/index.ts'
import { positionOf, segmentOf } from '../store/index.ts'
import { checkAdministration } from './administration-check.ts'
import { damageOf } from './damage.ts'
import { type DataCheck, type DataReport, dataReport } from './data-report.ts'
import { Findings } from './findings.ts'
import { nameKeyDifferences, storedKeys } from './idempotency-check.ts'
import { KeySum, type KeySumState } from './key-sum.ts'
import { openState, stateOf, type VerificationState } from './progress-state.ts'
import { unlikeRaw } from './raw-row-check.ts'
import { Redactions } from './redactions.ts'
import { misplaced } from './row-check.ts'
import { SignedSizes } from './signed-sizes.ts'
import { type LedgerAct, StretchCheck, type StretchResult } from './stretch-check.ts'
import { stretchLength } from './term-check.ts'

const { sha256 } = nodeCrypto

/**
 * The verification of one ledger of one snapshot: puts together what its stretches say, in order. Whoever drives it
 * calls {@link begin}, hands in each stretch of {@link nextStretch}, then calls {@link end} and {@link report}.
 */
export class LedgerVerification {
  /** The secret of this verification's {@link KeySum}s. */
  readonly secret: string
  readonly #reader: SqliteReader
  readonly #ledger: LedgerRow
  readonly #check: DataCheck
  readonly #findings = new Findings()
  readonly #keys: KeySum
  readonly #acts: LedgerAct[] = []
  readonly #tree: RightEdge
  readonly #redactions: Redactions
  readonly #earlier: { from: number; to: number; at: string }[]
  readonly #startedAt: number
  #inspection: SqliteInspection | undefined
  #own: StretchCheck | undefined
  #signed: SignedSizes | undefined
  #head: HeadRow | undefined
  #checked: number
  #lastAt: number

  /** @throws LedgerError `invalid_option` when the state of an earlier run does not fit this ledger */
  constructor(reader: SqliteReader, ledger: LedgerRow, check: DataCheck) {
    this.#reader = reader
    this.#ledger = ledger
    this.#check = check
    const state = check.resume === undefined ? undefined : openState(check.resume, ledger, check.pinned)
    this.secret = state?.secret ?? randomBytes(16).toString('hex')
    this.#keys = new KeySum(this.secret)
    if (state !== undefined) this.#keys.merge(state.keys)
    this.#acts.push(...(state?.acts ?? []))
    this.#tree = state?.tree ?? RightEdge.empty(sha256)
    this.#redactions = new Redactions(state?.redactions)
    this.#earlier = state?.earlier ?? []
    this.#startedAt = this.#tree.size
    this.#checked = state?.checked ?? 0
    this.#lastAt = state?.lastAt ?? 0
  }

  /** How many entries the newest head has. */
  get size(): number {
    return this.#head?.size ?? 0
  }

  /** How many entries have been placed in the tree. */
  get done(): number {
    return this.#tree.size
  }

  /** Whether nothing was found so far. */
  get isSound(): boolean {
    return this.#findings.count === 0
  }

  /** Compares the tables with a ledger's and opens what was signed. @returns whether there are rows to be read */
  begin(): boolean {
    const differences = this.#reader.schemaDifferences()
    for (const { detail } of differences) this.#findings.add('index_mismatch', detail)
    if (!differences.every(difference => difference.readable)) return false
    const inspection = this.#reader.inspection()
    this.#inspection = inspection
    this.#own = new StretchCheck(inspection, this.#ledger, this.secret)
    const head = inspection.head(this.#ledger.ledgerId)
    if (head === null || head.size < 0) {
      const what = head === null ? 'has no row of this ledger' : 'has no possible size'
      this.#mismatch(`Table heads ${what}: nothing says how many entries there should be.`)
      return false
    }
    this.#head = head
    this.#signed = this.#openSigned(inspection, head)
    this.#signed.compare(this.#tree)
    return true
  }

  /** The next indices `[first, end)` to be checked, from `from` on; undefined at the end. */
  nextStretch(from: number): { first: number; end: number } | undefined {
    if (from >= this.size) return undefined
    return { first: from, end: Math.min((Math.floor(from / stretchLength) + 1) * stretchLength, this.size) }
  }

  /** Checks a stretch in this thread and snapshot. */
  checkHere({ first, end }: { first: number; end: number }): StretchResult {
    return this.#own!.run(first, end)
  }

  /** Takes the next stretch, in order. @returns whether the one after it can be placed in the tree */
  take(result: StretchResult): boolean {
    const { first, leafHashes, checked, firstAt, lastAt, findings, found } = result
    if (firstAt > 0 && firstAt < this.#lastAt) {
      if (this.#ledger.kind === 'raw') this.#findings.add('index_mismatch', unlikeRaw(first, 'at'), first)
      else this.#findings.add('content_mismatch', misplaced(first), first)
    }
    if (lastAt > 0) this.#lastAt = lastAt
    this.#checked += checked
    for (const { verdict, detail, index } of findings) this.#findings.add(verdict, detail, index)
    this.#findings.count += found - findings.length
    this.#keys.merge(result.keys)
    this.#redactions.addGaps(result.gaps)
    for (const act of result.acts) {
      if (act.kind === 'erasure') this.#redactions.addErasure(act)
      if (act.kind === 'admin') this.#acts.push(act)
    }
    const rows = leafHashes.length / hashSize
    for (let i = 0; i < rows; i++) {
      this.#tree.append(leafHashes.subarray(i * hashSize, (i + 1) * hashSize))
      if (this.#tree.size % 256 === 0) this.#checkTiles()
      this.#signed?.compare(this.#tree)
    }
    this.#check.onProgress?.(this.done, this.size)
    return this.done === Math.min((Math.floor(first / stretchLength) + 1) * stretchLength, this.size)
  }

  /**
   * After the last stretch: everything that concerns the whole.
   *
   * @param stored the rows of table `idempotency`, where somebody has added them up already
   */
  end(stored?: KeySumState): void {
    const inspection = this.#inspection!
    const { ledgerId } = this.#ledger
    if (this.done < this.size) {
      this.#findings.add(
        'missing_index',
        `The events from ${this.done} on are not there, or not all of them; ${this.size} were signed.`,
        this.done,
      )
      this.#checkBeyond(inspection)
      // Later leaves cannot be placed in the tree, and what names them cannot be judged.
      return
    }
    this.#checkTiles()
    if (this.#head?.at !== this.#lastAt)
      this.#mismatch('Table heads, column at: not the time of the newest leaf.')
    const tiles = tilesOf(this.size)
    const storedTiles = inspection.tileCount(ledgerId)
    if (storedTiles !== tiles) {
      this.#mismatch(`Table tiles has ${storedTiles} rows; a tree of ${this.size} has ${tiles} tiles.`)
    }
    const full = segmentOf(positionOf(ledgerId, this.size)) - 1
    // Of the whole file: a file's first ledger is its only one of events, so no other ledger has terms.
    const strayTerms =
      this.#ledger.kind === 'raw' ? 0 : inspection.termsOutside(segmentOf(positionOf(ledgerId, 0)), full)
    if (strayTerms > 0) {
      this.#mismatch(`Table event_terms has rows in segments that are not full: ${strayTerms}.`)
    }
    this.#redactions.judge(this.#findings, index => this.#own!.gapAt(index))
    this.#checkBeyond(inspection)
    this.#checkKeys(inspection, stored)
    checkAdministration(this.#findings, inspection, this.#reader.ledgers(), this.#ledger, this.#acts)
    for (const detail of inspection.strayRows(ledgerId)) this.#mismatch(detail)
  }

  #checkBeyond(inspection: SqliteInspection): void {
    const beyond = inspection.firstIndexFrom(this.#ledger.ledgerId, this.size)
    if (beyond === undefined) return
    const detail = `Table events has a row ${beyond} beyond the signed size ${this.size}.`
    this.#findings.add('index_mismatch', detail, beyond)
  }

  #checkKeys(inspection: SqliteInspection, stored: KeySumState | undefined): void {
    const skip = this.#redactions.withoutServer
    const { ledgerId } = this.#ledger
    if (stored !== undefined && this.#keys.equals(stored)) return
    if (this.#keys.equals(storedKeys(inspection, ledgerId, this.secret, { skip }))) return
    nameKeyDifferences(this.#findings, inspection, { ledgerId, size: this.size }, skip)
  }

  /** What SQLite says about its own pages: a line for each problem. */
  addIntegrityProblems(lines: readonly string[]): void {
    for (const line of lines) this.#mismatch(`SQLite's own check of the file: ${line}.`)
  }

  /** Takes an error met while rows were read. @throws it again, unless it says that the file is damaged */
  addDamage(error: unknown): void {
    const damage = damageOf(error)
    if (damage === undefined) throw error
    const detail = `The file cannot be read from entry ${this.done} on: ${damage}.`
    this.#findings.add('content_mismatch', detail, this.done)
  }

  #openSigned(inspection: SqliteInspection, head: HeadRow): SignedSizes {
    const signed = new SignedSizes(this.#ledger.origin, this.#verifierKeys(), this.#findings)
    const newest = signed.open(head.note, 'the newest checkpoint')
    if (newest !== undefined && (newest.size !== head.size || Buffer.compare(newest.root, head.root) !== 0)) {
      this.#mismatch('Table heads: size or root differ from the checkpoint signed for them.')
    }
    for (const { size, note } of inspection.publishedCheckpoints(this.#ledger.ledgerId)) {
      const published = signed.open(note, `the published checkpoint of size ${size}`)
      if (published !== undefined && published.size !== size) {
        this.#mismatch(
          `Table checkpoints, column size: ${size} stands beside a checkpoint of ${published.size}.`,
        )
      }
    }
    const { kept, guard, resume } = this.#check
    if (kept !== undefined) signed.open(kept, 'the checkpoint that you kept', true)
    if (guard !== undefined) signed.open(guard, "the checkpoint in this machine's rollback guard", true)
    if (resume !== undefined) signed.open(resume.checkpoint, 'the newest checkpoint of the earlier run', true)
    const stored = (level: number, n: number) =>
      this.#reader.tile(this.#ledger.ledgerId, level, n) ?? new Uint8Array()
    signed.start(head.size, this.#tree, size => {
      const read = tileSubtreeReader(sha256, stored, this.#startedAt)
      return proveConsistency(sha256, size, this.#startedAt, read)
    })
    return signed
  }

  #verifierKeys(): readonly VerifierKey[] {
    if (this.#check.pinned.length > 0) return this.#check.pinned
    try {
      return this.#ledger.verifierKeys.map(key => parseVerifierKey(sha256, key))
    } catch (error) {
      this.#findings.add('bad_signature', `Table ledgers, column verifier_keys: ${String(error)}`)
      return []
    }
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
      const width = tileWidth(tile.level, tile.n, this.size)
      if (tile.hashes.length === width * hashSize && stored.length > width * hashSize) {
        this.#findings.add(
          'content_mismatch',
          `${name} goes on after the ${width} hashes that it should have.`,
        )
      }
    }
  }

  #mismatch(detail: string): void {
    this.#findings.add('index_mismatch', detail)
  }

  /** Everything that a later run needs to go on from here. */
  state(now: Date): VerificationState {
    return stateOf({
      ledger: this.#ledger,
      pinned: this.#check.pinned,
      checkpoint: this.#head?.note ?? '',
      tree: this.#tree,
      secret: this.secret,
      keys: this.#keys.state,
      acts: this.#acts,
      redactions: this.#redactions.state,
      checked: this.#checked,
      lastAt: this.#lastAt,
      earlier: [...this.#earlier, { from: this.#startedAt, to: this.done, at: now.toISOString() }],
    })
  }

  report(): DataReport {
    return dataReport(this.#ledger, this.#check.pinned.length > 0, this.#findings, {
      checked: this.#checked,
      redacted: this.#redactions.redacted,
      size: this.size,
      checkpoint: this.#head?.note ?? '',
      lastAt: this.#lastAt,
      keptSize: this.#signed?.keptSize ?? 0,
      earlier: this.#earlier,
    })
  }
}

/** How many hash tiles a tree has. */
function tilesOf(size: number): number {
  let tiles = 0
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / 256)) tiles += Math.ceil(hashes / 256)
  return tiles
}

function slot(hashes: Uint8Array, i: number): Uint8Array {
  return hashes.subarray(i * hashSize, (i + 1) * hashSize)
}
