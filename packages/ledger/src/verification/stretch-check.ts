import { formatEventLeaf, type LeafKind, leafHash, type Part, saltLength } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { columnNames, columnsOfParts, type EventColumns } from '../events/index.ts'
import { indexOfTxId } from '../sequencer/index.ts'
import {
  type LedgerRow,
  type PackedRow,
  positionOf,
  type SqliteInspection,
  segmentLength,
  termsOf,
} from '../store/index.ts'
import { CommitmentBuffer, txIdLength } from './commitment-buffer.ts'
import { type Finding, Findings } from './findings.ts'
import { addKeyUse, type KeyUse } from './idempotency-check.ts'
import { KeySum, type KeySumState } from './key-sum.ts'
import { RawRowCheck } from './raw-row-check.ts'
import { checkRow, type RowReading } from './row-check.ts'
import { compareTerms, stretchLength } from './term-check.ts'

/** An act of the ledger itself, by its committed parts. Plain data. */
export interface LedgerAct {
  index: number
  /** Milliseconds since the epoch. */
  at: number
  kind: LeafKind
  /** The `event_name`. */
  name: string | null
  payload: Uint8Array
}

/** An event of which a part is gone. Plain data. */
export interface Gap {
  index: number
  parts: Part[]
  /** What still stands elsewhere although it came from what is gone; a finding if the part was erased. */
  leftovers: string[]
}

/** What a stretch of rows says, each in itself and its terms. Plain data: it crosses threads. */
export interface StretchResult {
  first: number
  /** 32 bytes for each row, up to where the rows end or have a gap. */
  leafHashes: Uint8Array
  /** Rows of which everything was checked and is well. */
  checked: number
  /** Times of the first and the last leaf that could be read, milliseconds; 0: there was none. */
  firstAt: number
  lastAt: number
  findings: Finding[]
  /** How many findings there were in all. */
  found: number
  /** The rows that table `idempotency` should have for these events. */
  keys: KeySumState
  acts: LedgerAct[]
  gaps: Gap[]
}

/** `,"tx_id":"` and the id, then what ends every leaf. */
const leafEnd = '","v":1}'.length

/** Checks stretches of one ledger, one after the other. A stretch begins at a multiple of {@link stretchLength}. */
export class StretchCheck {
  readonly #inspection: SqliteInspection
  readonly #ledger: LedgerRow
  readonly #secret: string
  readonly #commitments: CommitmentBuffer
  #at = -1
  #atText = ''

  /** @param secret of the {@link KeySum}s of this verification */
  constructor(inspection: SqliteInspection, ledger: LedgerRow, secret: string) {
    this.#inspection = inspection
    this.#ledger = ledger
    this.#secret = secret
    this.#commitments = new CommitmentBuffer(ledger.origin)
  }

  /** Checks the rows `[first, end)`, at most one stretch. */
  run(first: number, end: number): StretchResult {
    const stretch = new OpenStretch(first, end, this.#secret)
    const { ledgerId } = this.#ledger
    if (this.#ledger.kind === 'raw') return this.#runRaw(stretch, first, end)
    for (const row of this.#inspection.packedEvents(ledgerId, first, end)) {
      if (row.index !== first + stretch.rows) break
      this.#take(row, stretch)
    }
    // Only full segments have terms. Behind a gap nobody knows what they should be, and the gap is a finding.
    for (let place = 0; place + segmentLength <= stretch.rows; place += segmentLength) {
      const expected = stretch.terms.slice(place, place + segmentLength)
      compareTerms(this.#inspection, positionOf(ledgerId, first + place), expected, (at, what) =>
        stretch.reportTerm(place + at, what),
      )
    }
    return stretch.result()
  }

  /** Raw entries have no parts and no columns, so there is little to say of each. */
  #runRaw(stretch: OpenStretch, first: number, end: number): StretchResult {
    const rows = new RawRowCheck(this.#ledger, stretch.findings)
    for (const row of this.#inspection.events(this.#ledger.ledgerId, first, end)) {
      if (row.index !== first + stretch.rows) break
      rows.check(row)
      stretch.addLeaf(row.leaf)
      stretch.setTime(row.at)
    }
    stretch.checked = rows.checked
    return stretch.result()
  }

  /** Reads one event again and says what is missing of it. */
  gapAt(index: number): Gap | undefined {
    const stretch = new OpenStretch(index, index + 1, this.#secret)
    this.#diagnose(index, stretch)
    return stretch.gaps[0]
  }

  #take(row: PackedRow, stretch: OpenStretch): void {
    const { bytes, lengths } = row
    const leafLength = lengths[0]!
    const text = bytes?.toString('latin1', 0, leafLength) ?? ''
    const columns = bytes === null ? undefined : this.#soundColumns(row, bytes, text, stretch.lastAt)
    if (bytes === null || columns === undefined) {
      this.#diagnose(row.index, stretch)
      return
    }
    stretch.addLeaf(bytes.subarray(0, leafLength))
    stretch.setTime(row.at)
    const [, core = 0, context = 0, payload = 0, server = 0] = lengths
    const payloadAt = leafLength + core + context + 3 * saltLength
    const serverAt = payloadAt + payload + saltLength
    stretch.addColumns(columns)
    stretch.addKeyUse(row.index, JSON.parse(bytes.toString('utf8', serverAt, serverAt + server)) as KeyUse)
    if (row.kind !== 'event') {
      const name = columns.event_name
      const content = Uint8Array.from(bytes.subarray(payloadAt, payloadAt + payload))
      stretch.acts.push({ index: row.index, at: row.at, kind: row.kind as LeafKind, name, payload: content })
    }
    stretch.checked++
  }

  /**
   * The derived columns of a row with which nothing is wrong; undefined for any other. Builds the leaf that the stored
   * parts must have and compares it with the stored one, which asks all questions about leaf and parts at once.
   */
  #soundColumns(row: PackedRow, bytes: Buffer, text: string, lastAt: number): EventColumns | undefined {
    const [leafLength = 0, core = 0, context = 0, payload = 0, server = 0] = row.lengths
    const idAt = leafLength - leafEnd - txIdLength
    if (idAt < 0 || bytes.length !== leafLength + core + context + payload + server + 4 * saltLength) {
      return undefined
    }
    const coreAt = leafLength
    const contextAt = coreAt + saltLength + core
    const payloadAt = contextAt + saltLength + context
    const serverAt = payloadAt + saltLength + payload
    const txId = text.slice(idAt, idAt + txIdLength)
    try {
      const expected = formatEventLeaf({
        at: this.#timeOf(row.at),
        context: this.#commitments.commit('context', bytes, idAt, contextAt, context),
        core: this.#commitments.commit('core', bytes, idAt, coreAt, core),
        kind: row.kind as LeafKind,
        ledger: this.#ledger.origin,
        payload: this.#commitments.commit('payload', bytes, idAt, payloadAt, payload),
        server: this.#commitments.commit('server', bytes, idAt, serverAt, server),
        tx_id: txId,
        v: 1,
      })
      if (expected !== text || indexOfTxId(txId) !== row.index || row.at < lastAt) return undefined
      if (row.ledgerColumn !== this.#ledger.ledgerId) return undefined
      const columns = columnsOfParts(
        bytes.toString('utf8', coreAt + saltLength, contextAt),
        bytes.toString('utf8', contextAt + saltLength, payloadAt),
      )
      return columnNames.every((name, i) => columns[name] === row.columns[i]) ? columns : undefined
    } catch {
      // A time, a kind or a JSON text that is none: the diagnosis will say so.
      return undefined
    }
  }

  /** The events of one batch have one time. */
  #timeOf(at: number): string {
    if (at !== this.#at) {
      this.#atText = new Date(at).toISOString()
      this.#at = at
    }
    return this.#atText
  }

  #diagnose(index: number, stretch: OpenStretch): void {
    for (const row of this.#inspection.events(this.#ledger.ledgerId, index, index + 1)) {
      const reading = checkRow(row, this.#ledger, stretch.lastAt, stretch.findings)
      stretch.addLeaf(row.leaf)
      stretch.addReading(index, reading)
    }
  }
}

/** A stretch while it is read. */
class OpenStretch {
  readonly findings = new Findings()
  readonly acts: LedgerAct[] = []
  readonly gaps: Gap[] = []
  /** By place; see {@link compareTerms}. */
  readonly terms: (number[] | null)[] = []
  rows = 0
  checked = 0
  lastAt = 0
  readonly #first: number
  readonly #hashes: Buffer
  readonly #keys: KeySum
  #firstAt = 0

  constructor(first: number, end: number, secret: string) {
    this.#first = first
    this.#hashes = Buffer.alloc(Math.min(end - first, stretchLength) * 32)
    this.#keys = new KeySum(secret)
  }

  /** Takes the next row's leaf. Its terms are not judged unless {@link addColumns} follows. */
  addLeaf(leaf: Uint8Array): void {
    this.#hashes.set(leafHash(nodeCrypto.sha256, leaf), this.rows * 32)
    this.rows++
    this.terms.push(null)
  }

  setTime(at: number): void {
    if (this.#firstAt === 0) this.#firstAt = at
    this.lastAt = at
  }

  addColumns(columns: EventColumns): void {
    this.terms[this.rows - 1] = termsOf(columns)
  }

  addKeyUse(index: number, server: KeyUse): void {
    addKeyUse(this.#keys, index, server)
  }

  addReading(index: number, { sound, leaf, parts, missing, leftovers, server, columns }: RowReading): void {
    if (leaf !== undefined) this.setTime(Date.parse(leaf.at))
    if (server !== undefined) this.addKeyUse(index, server)
    if (sound && columns !== undefined) this.addColumns(columns)
    if (missing.length > 0) this.gaps.push({ index, parts: missing, leftovers })
    else if (sound) this.checked++
    if (leaf !== undefined && leaf.kind !== 'event' && parts.payload !== undefined) {
      const name = columns?.event_name ?? null
      const at = Date.parse(leaf.at)
      this.acts.push({ index, at, kind: leaf.kind, name, payload: Uint8Array.from(parts.payload) })
    }
  }

  reportTerm(place: number, what: string): void {
    const index = this.#first + place
    const detail = `Table event_terms ${what}: event ${index}.`
    const gap = this.gaps.find(gap => gap.index === index)
    if (gap === undefined) this.findings.add('index_mismatch', detail, index)
    else gap.leftovers.push(detail)
  }

  result(): StretchResult {
    return {
      first: this.#first,
      leafHashes: new Uint8Array(this.#hashes.buffer, this.#hashes.byteOffset, this.rows * 32),
      checked: this.checked,
      firstAt: this.#firstAt,
      lastAt: this.lastAt,
      findings: this.findings.first,
      found: this.findings.count,
      keys: this.#keys.state,
      acts: this.acts,
      gaps: this.gaps,
    }
  }
}
