import {
  bytesEqual,
  type ChangedTile,
  type Checkpoint,
  edgeState,
  type Finding,
  Findings,
  formatVerifierKey,
  fullTileWidth,
  leafHash,
  parseEventLeaf,
  RightEdge,
  TlogError,
  tileWidth,
  type Verdict,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { LogFetch } from './log-fetch.ts'
import { edgeFits, type OpenedLog, openLog, openSigned } from './log-opening.ts'
import { type LogState, treeOfState } from './log-state.ts'
import { fetchPiece, fetchTile, type LogPiece } from './log-tiles.ts'

const { sha256 } = nodeCrypto

/** What reading a log from outside found. */
export interface LogReport {
  verdict: Verdict
  findings: Finding[]
  found: number
  /** Entries that were placed in the tree. */
  checked: number
  origin: string
  size: number
  /** Whether the entries are leaves of events; those of a raw ledger are anything. */
  isEvents: boolean
  /** The time in the last leaf that was read; null without one. */
  newestAt: string | null
  /** Size of the checkpoint that the caller kept and the log extends; 0: there was none. */
  keptSize: number
  /** The newest checkpoint as it was fetched. */
  checkpoint: string
  earlier: { from: number; to: number; at: string }[]
}

/** What to check a log against. */
export interface LogCheckOptions {
  /** The verifier keys that the caller brought along; empty: those that the log hands out, for at best `ok_unpinned`. */
  pinned: readonly VerifierKey[]
  /** A checkpoint note that the caller kept. */
  kept?: string
  /** Where an earlier run ended; anything that was read from a file. */
  resume?: LogState
  /** Gets the state after every full bundle, as long as nothing was found. */
  save?: (state: () => LogState) => void
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/** Bundles and tiles under way at the same time: each may have up to 16 MiB. */
const piecesAhead = 6

/**
 * Reads a whole log as C2SP tlog-tiles serves it: checkpoint, every entry bundle, every hash tile. Builds the tree from
 * the entries anew and compares each tile, the root, the signature, and the checkpoint that the caller kept.
 *
 * @throws LogUnreachable; UsageError for a state that does not fit; the signal's reason
 */
export async function checkLog(log: LogFetch, options: LogCheckOptions): Promise<LogReport> {
  const check = new LogCheck(log, options)
  await check.run()
  return check.report()
}

class LogCheck {
  readonly #log: LogFetch
  readonly #options: LogCheckOptions
  readonly #findings = new Findings()
  #tree = RightEdge.empty(sha256)
  #opened: OpenedLog | undefined
  /** Signed by the log, besides the newest; smallest first. */
  #signed: { checkpoint: Checkpoint; what: string; wasGiven: boolean }[] = []
  #keptSize = 0
  #isEvents: boolean | undefined
  #lastAt = ''
  #begunAt = 0

  constructor(log: LogFetch, options: LogCheckOptions) {
    this.#log = log
    this.#options = options
  }

  async run(): Promise<void> {
    const { pinned, kept, resume } = this.#options
    const opened = await openLog(this.#log, pinned, this.#findings)
    if (opened === undefined) return
    this.#opened = opened
    if (resume !== undefined) {
      this.#tree = treeOfState(resume, opened.newest.origin, pinned)
      this.#begunAt = this.#tree.size
      this.#isEvents = resume.isEvents ?? undefined
      this.#lastAt = resume.lastAt
      this.#addSigned(resume.checkpoint, 'the newest checkpoint of the earlier run', false)
      for (const note of resume.kept) this.#addSigned(note, 'the checkpoint that you kept', true)
    }
    if (kept !== undefined && resume?.kept.includes(kept) !== true) {
      this.#addSigned(kept, 'the checkpoint that you kept', false)
    }
    if (!(await edgeFits(this.#log, opened.newest, this.#findings))) return
    this.#compareSigned()
    if (await this.#readEntries(opened.newest.size)) this.#compareRoot(opened.newest)
  }

  /** @param wasGiven an earlier run had it: what that run had passed it had compared */
  #addSigned(note: string, what: string, wasGiven: boolean): void {
    const { keys, newest } = this.#opened!
    const sentence = `${what[0]!.toUpperCase()}${what.slice(1)}`
    const checkpoint = openSigned(note, sentence, keys, this.#findings, newest.origin)
    if (checkpoint === undefined) return
    if (checkpoint.size > newest.size) {
      const detail = `The log has ${newest.size} entries, but ${what} has ${checkpoint.size}.`
      this.#findings.add('truncated', detail)
      return
    }
    this.#signed.push({ checkpoint, what, wasGiven })
    this.#signed.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
  }

  /** @returns whether the tree is whole */
  async #readEntries(size: number): Promise<boolean> {
    const { signal, save, onProgress } = this.#options
    const ahead: Promise<LogPiece>[] = []
    let asked = this.#tree.size / fullTileWidth
    while (this.#tree.size < size) {
      for (; ahead.length < piecesAhead && asked * fullTileWidth < size; asked++) {
        const piece = fetchPiece(this.#log, asked, tileWidth(0, asked, size))
        // Whoever waits for it sees the failure; until then it must not count as unhandled.
        piece.catch(() => undefined)
        ahead.push(piece)
      }
      const piece = await ahead.shift()!
      signal?.throwIfAborted()
      if (!(await this.#take(piece, size))) return false
      onProgress?.(this.#tree.size, size)
      // From the first finding on nothing is written down, so findings are always of the run that reports them.
      const isSound = this.#findings.count === 0 && this.#tree.size % fullTileWidth === 0
      if (isSound) save?.(() => this.#state())
    }
    return true
  }

  /** @returns whether the next piece can be placed in the tree */
  async #take({ entries, tile, fault }: LogPiece, size: number): Promise<boolean> {
    const first = this.#tree.size
    const n = first / fullTileWidth
    const width = tileWidth(0, n, size)
    if (entries?.length !== width) {
      const what = fault ?? `it has ${entries?.length ?? 0} entries instead of ${width}.`
      const verdict = entries === undefined && fault === undefined ? 'missing_index' : 'content_mismatch'
      this.#findings.add(verdict, `Entry bundle ${n}: ${what}`, first)
      return false
    }
    for (const [i, entry] of entries.entries()) {
      this.#checkLeaf(first + i, entry)
      this.#tree.append(leafHash(sha256, entry))
      this.#compareSigned()
    }
    // The partial ones at the end were compared with the signed root before anything else.
    for (const changed of this.#tree.takeChangedTiles()) {
      const { level, width } = changed
      if (width !== fullTileWidth) continue
      this.#compareTile(changed, level === 0 ? tile : await fetchTile(this.#log, level, changed.n, width))
    }
    return true
  }

  #compareTile({ level, n, hashes }: ChangedTile, served: Uint8Array | undefined): void {
    if (served !== undefined && bytesEqual(served, hashes)) return
    let hash = 0
    const slot = (bytes: Uint8Array) => bytes.subarray(hash * 32, hash * 32 + 32)
    while (served !== undefined && bytesEqual(slot(served), slot(hashes))) hash++
    const index = (n * fullTileWidth + hash) * fullTileWidth ** level
    const what = served === undefined ? 'is not there' : `is not that of the entries, from entry ${index} on`
    this.#findings.add('content_mismatch', `Tile ${n} of level ${level} ${what}.`, index)
  }

  /** A ledger of events has leaves of events only; which kind it is the first entry shows. */
  #checkLeaf(index: number, entry: Uint8Array): void {
    if (this.#isEvents === false) return
    try {
      const leaf = parseEventLeaf(entry)
      if (this.#isEvents === undefined) this.#isEvents = leaf.ledger === this.#opened?.newest.origin
      if (!this.#isEvents) return
      if (leaf.ledger !== this.#opened?.newest.origin || leaf.at < this.#lastAt) {
        this.#findings.add('content_mismatch', `The leaf ${index} belongs to another ledger or time.`, index)
      }
      this.#lastAt = leaf.at
    } catch (error) {
      if (!(error instanceof TlogError)) throw error
      const isLater = error.code === 'unknown_version'
      if (this.#isEvents === undefined && !isLater) this.#isEvents = false
      else this.#findings.add(isLater ? 'unknown_version' : 'content_mismatch', error.message, index)
    }
  }

  /** Compares whatever was signed about a tree of this size. */
  #compareSigned(): void {
    for (let next = this.#signed[0]; next !== undefined; next = this.#signed[0]) {
      const { checkpoint, what, wasGiven } = next
      if (checkpoint.size > this.#tree.size) return
      this.#signed.shift()
      if (checkpoint.size < this.#tree.size && !wasGiven) {
        const detail =
          `An earlier run has passed the ${checkpoint.size} entries of ${what} without comparing it. ` +
          'Remove the --resume file to begin anew.'
        this.#findings.add('not_covered', detail)
      } else if (checkpoint.size === this.#tree.size && !bytesEqual(checkpoint.root, this.#tree.root())) {
        this.#findings.add('fork', `The entries do not hash to ${what}: these are two histories.`)
      } else this.#keptSize = checkpoint.size
    }
  }

  #compareRoot({ root }: Checkpoint): void {
    if (bytesEqual(root, this.#tree.root())) return
    this.#findings.add('fork', 'The entries do not hash to the newest checkpoint: these are two histories.')
  }

  #state(): LogState {
    const { kept, pinned, resume } = this.#options
    return {
      format: 'deedbox-verification/v1',
      what: 'url',
      origin: this.#opened?.newest.origin ?? '',
      keys: pinned.map(formatVerifierKey),
      tree: edgeState(this.#tree),
      checkpoint: this.#opened?.note ?? '',
      kept: [...new Set([...(resume?.kept ?? []), ...(kept === undefined ? [] : [kept])])],
      isEvents: this.#isEvents ?? null,
      lastAt: this.#lastAt,
      earlier: [
        ...(this.#options.resume?.earlier ?? []),
        { from: this.#begunAt, to: this.#tree.size, at: new Date().toISOString() },
      ],
    }
  }

  report(): LogReport {
    const { worst, first, count } = this.#findings
    const { size } = this.#tree
    const sound = this.#options.pinned.length > 0 ? 'ok' : 'ok_unpinned'
    return {
      verdict: worst?.verdict ?? (size === 0 ? 'nothing_checked' : sound),
      findings: first,
      found: count,
      checked: size,
      origin: this.#opened?.newest.origin ?? '',
      size: this.#opened?.newest.size ?? 0,
      isEvents: this.#isEvents === true,
      newestAt: this.#lastAt === '' ? null : this.#lastAt,
      keptSize: this.#keptSize,
      checkpoint: this.#opened?.note ?? '',
      earlier: this.#options.resume?.earlier ?? [],
    }
  }
}
