import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  bytesEqual,
  type Checkpoint,
  type Finding,
  Findings,
  openCheckpoint,
  type Part,
  parseVerifierKey,
  RightEdge,
  readErasure,
  TlogError,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { checkExportLine, claimedIndex, type ExportedEvent, ExportFault } from './export-line.ts'
import { type ExportManifest, exportFormat, maxLineLength, readManifest } from './export-manifest.ts'

const { sha256 } = nodeCrypto

/** What checking an export found. */
export interface ExportReport {
  verdict: Verdict
  /** The first findings; empty when all is well. */
  findings: Finding[]
  /** How many there were in all. */
  found: number
  /** Events whose place in the tree and every part of which was checked. */
  checked: number
  /** Events of which a part is gone because a later event of the export records its erasure. */
  redacted: number
  origin: string
  /** Indices `[from, to)` of a tree of `size`. */
  from: number
  to: number
  size: number
  /** Whether the export claims to be everything of its range. */
  complete: boolean
  /** The signed note of the export. */
  checkpoint: string
}

/** What to check an export against. */
export interface ExportCheckOptions {
  /** The verifier keys that the caller brought along; empty: those in the export, and `ok` is `ok_unpinned`. */
  pinned: readonly VerifierKey[]
  /** A checkpoint note that the caller kept. */
  kept?: string
  onProgress?: (done: number, total: number) => void
}

/**
 * Checks an export file (`deedbox-export/v1`) without the ledger: every receipt against the one signed checkpoint of
 * its last line, every shown part against its commitment, that the range is whole, and the last line itself. Reads
 * line by line, so memory stays flat.
 */
export async function checkExport(file: string, options: ExportCheckOptions): Promise<ExportReport> {
  const end = readManifest(file)
  const findings = new Findings()
  if (end === undefined) {
    findings.add(
      'truncated',
      'The export has no manifest as its last line: it broke off. Nothing was checked.',
    )
    return reportOf(undefined, findings, options, { checked: 0, redacted: 0 })
  }
  const { manifest, offset } = end
  if (manifest.format !== exportFormat) {
    const detail = `The export has the format "${manifest.format}"; this verifier knows ${exportFormat}.`
    findings.add('unknown_version', detail)
    return reportOf(undefined, findings, options, { checked: 0, redacted: 0 })
  }
  const check = new ExportCheck(manifest, findings, options)
  const checkpoint = check.open()
  if (checkpoint !== undefined) {
    const hash = createHash('sha256')
    for await (const line of linesOf(file, offset, bytes => hash.update(bytes))) check.take(line, checkpoint)
    check.end(checkpoint, hash.digest('hex'))
  }
  return reportOf(manifest, findings, options, check)
}

class ExportCheck {
  checked = 0
  redacted = 0
  readonly #manifest: ExportManifest
  readonly #findings: Findings
  readonly #options: ExportCheckOptions
  readonly #gaps: { index: number; parts: Part[] }[] = []
  readonly #erased = new Set<string>()
  readonly #tree = RightEdge.empty(sha256)
  #kept: Checkpoint | undefined
  #lines = 0
  #last: number | undefined
  #missing: number | undefined

  constructor(manifest: ExportManifest, findings: Findings, options: ExportCheckOptions) {
    this.#manifest = manifest
    this.#findings = findings
    this.#options = options
  }

  /** The export's checkpoint, if its signature holds. */
  open(): Checkpoint | undefined {
    const { checkpoint: note, tree_size: size, from, to, ledger, verifier_keys } = this.#manifest
    try {
      const { pinned, kept } = this.#options
      const keys = pinned.length > 0 ? pinned : verifier_keys.map(key => parseVerifierKey(sha256, key))
      const checkpoint = openCheckpoint(nodeCrypto, note, keys)
      if (checkpoint.extensions.length > 0) {
        this.#findings.add(
          'bad_signature',
          'The checkpoint has extension lines, which no Deedbox ledger signs.',
        )
      }
      if (checkpoint.origin !== ledger || checkpoint.size !== size) {
        this.#findings.add(
          'content_mismatch',
          'The manifest names another ledger or size than its checkpoint.',
        )
      }
      if (from > to || to > size) {
        const detail = `The manifest's range ${from} to ${to} does not lie in a tree of ${size}.`
        this.#findings.add('not_covered', detail)
      }
      if (kept !== undefined) this.#kept = this.#openKept(kept, keys, checkpoint)
      return checkpoint
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
      this.#findings.add('bad_signature', `The checkpoint of the export does not hold: ${error.message}`)
      return undefined
    }
  }

  /** Takes the next line. */
  take(line: string, checkpoint: Checkpoint): void {
    this.#lines++
    try {
      const event = checkExportLine(line, checkpoint, this.#manifest.checkpoint)
      this.#place(event.index)
      this.#grow(event)
      if (event.leaf.kind === 'erasure' && event.parts.payload !== undefined) this.#erase(event)
      if (event.missing.length > 0) this.#gaps.push({ index: event.index, parts: event.missing })
      else this.checked++
    } catch (error) {
      if (!(error instanceof ExportFault)) throw error
      const index = claimedIndex(line)
      this.#findings.add(error.verdict, error.message, index)
      if (index !== undefined) this.#place(index)
    }
    if (this.#lines % 1000 === 0) this.#options.onProgress?.(this.#lines, this.#manifest.count)
  }

  end(checkpoint: Checkpoint, digest: string): void {
    const { from, to, count, filters } = this.#manifest
    const next = this.#last === undefined ? from : this.#last + 1
    const isComplete = Object.keys(filters).length === 0
    if (isComplete && this.#missing === undefined && next < to) this.#missing = next
    if (this.#lines < count) {
      const detail = `The export has ${this.#lines} events; its last line counts ${count}.`
      this.#findings.add('truncated', detail)
    } else if (isComplete && this.#missing !== undefined) {
      const detail = `Event ${this.#missing} is not in the export, which claims everything from ${from} to ${to}.`
      this.#findings.add('missing_index', detail, this.#missing)
    }
    if (this.#lines > count) {
      const detail = `The export has ${this.#lines} events; its last line counts ${count}.`
      this.#findings.add('content_mismatch', detail)
    }
    if (digest !== this.#manifest.sha256) {
      const detail = 'The bytes of the export are not those whose SHA-256 its last line names.'
      this.#findings.add('content_mismatch', detail)
    }
    this.#judgeGaps()
    this.#compareKept(checkpoint)
  }

  #place(index: number): void {
    const { from, to, filters } = this.#manifest
    if (index < from || index >= to || (this.#last !== undefined && index <= this.#last)) {
      const detail = `Event ${index} does not stand in its place in the range ${from} to ${to}.`
      this.#findings.add('content_mismatch', detail, index)
    }
    const expected = this.#last === undefined ? from : this.#last + 1
    if (Object.keys(filters).length === 0 && index > expected) this.#missing ??= expected
    this.#last = index
  }

  /** An export from the first entry on is the whole tree, which can be compared with any smaller checkpoint. */
  #grow({ index, hash }: ExportedEvent): void {
    if (this.#kept === undefined || index !== this.#tree.size) return
    this.#tree.append(hash)
    this.#compareRoot(this.#kept)
  }

  #erase({ index, parts }: ExportedEvent): void {
    for (const entry of readErasure(index, parts.payload ?? new Uint8Array())) {
      for (const part of entry.parts) this.#erased.add(`${entry.index} ${part}`)
    }
  }

  #judgeGaps(): void {
    for (const { index, parts } of this.#gaps) {
      const lost = parts.filter(part => !this.#erased.has(`${index} ${part}`))
      for (const part of lost) {
        const detail = `The ${part} of event ${index} is gone, and no erasure in this export names it.`
        this.#findings.add('content_missing', detail, index)
      }
      if (lost.length === 0) this.redacted++
    }
  }

  #openKept(note: string, keys: readonly VerifierKey[], checkpoint: Checkpoint): Checkpoint | undefined {
    let kept: Checkpoint
    try {
      kept = openCheckpoint(nodeCrypto, note, keys)
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
      this.#findings.add('bad_signature', `The checkpoint that you kept does not hold: ${error.message}`)
      return undefined
    }
    if (kept.origin !== checkpoint.origin) {
      this.#findings.add('bad_signature', `The checkpoint that you kept is of another log: ${kept.origin}.`)
      return undefined
    }
    return kept
  }

  #compareKept(checkpoint: Checkpoint): void {
    const kept = this.#kept
    if (kept === undefined || kept.size === 0 || kept.size <= this.#tree.size) return
    if (kept.size === checkpoint.size) {
      if (!bytesEqual(kept.root, checkpoint.root)) this.#fork()
    } else if (kept.size > checkpoint.size) {
      const detail =
        `The export is of a tree of ${checkpoint.size} entries, but the checkpoint that you kept has ${kept.size}: ` +
        'the export is older, or the end was cut off before it was made.'
      this.#findings.add('truncated', detail)
    } else {
      const detail =
        'The checkpoint that you kept cannot be compared with this export: that takes every entry from 0 ' +
        `to ${kept.size}. Export them, or verify the ledger itself with --data or --url.`
      this.#findings.add('not_covered', detail)
    }
  }

  #compareRoot(kept: Checkpoint): void {
    if (this.#tree.size === kept.size && !bytesEqual(this.#tree.root(), kept.root)) this.#fork()
  }

  #fork(): void {
    this.#findings.add('fork', 'The export and the checkpoint that you kept are of two histories.')
  }
}

function reportOf(
  manifest: ExportManifest | undefined,
  { worst, first, count }: Findings,
  { pinned }: ExportCheckOptions,
  { checked, redacted }: { checked: number; redacted: number },
): ExportReport {
  const sound = pinned.length === 0 ? 'ok_unpinned' : redacted > 0 ? 'redacted_ok' : 'ok'
  return {
    verdict: worst?.verdict ?? (checked + redacted === 0 ? 'nothing_checked' : sound),
    findings: first,
    found: count,
    checked,
    redacted,
    origin: manifest?.ledger ?? '',
    from: manifest?.from ?? 0,
    to: manifest?.to ?? 0,
    size: manifest?.tree_size ?? 0,
    complete: manifest !== undefined && Object.keys(manifest.filters).length === 0,
    checkpoint: manifest?.checkpoint ?? '',
  }
}

/** The lines before `end`, each without its newline; `onBytes` sees all of it. A line too long is handed on cut. */
async function* linesOf(
  file: string,
  end: number,
  onBytes: (bytes: Buffer) => void,
): AsyncGenerator<string, void, undefined> {
  if (end === 0) return
  let open: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { end: end - 1, highWaterMark: 256 * 1024 })) {
    onBytes(chunk as Buffer)
    let bytes = open.length === 0 ? (chunk as Buffer) : Buffer.concat([open, chunk as Buffer])
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a)) {
      yield bytes.toString('utf8', 0, at)
      bytes = bytes.subarray(at + 1)
    }
    if (bytes.length > maxLineLength) {
      yield bytes.toString('utf8', 0, 64)
      bytes = Buffer.alloc(0)
    }
    open = Buffer.from(bytes)
  }
  if (open.length > 0) yield open.toString('utf8')
}
