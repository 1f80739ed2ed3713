import { type Checkpoint, openCheckpoint, type RightEdge, type VerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { Findings } from './findings.ts'

interface SignedSize {
  checkpoint: Checkpoint
  what: string
  /** It came from outside the database. */
  kept: boolean
}

/** Everything that was ever signed about one ledger, compared with the tree as it grows. */
export class SignedSizes {
  /** The largest checkpoint from outside the database that the stored entries extend; 0: none. */
  keptSize = 0
  readonly #origin: string
  readonly #keys: readonly VerifierKey[]
  readonly #findings: Findings
  #sorted: SignedSize[] = []
  #next = 0

  constructor(origin: string, keys: readonly VerifierKey[], findings: Findings) {
    this.#origin = origin
    this.#keys = keys
    this.#findings = findings
  }

  /**
   * Adds a checkpoint note, if its signature holds.
   *
   * @param what how a finding calls it, such as `the newest checkpoint`
   */
  open(note: string, what: string, kept = false): Checkpoint | undefined {
    try {
      const checkpoint = openCheckpoint(nodeCrypto, note, this.#keys)
      if (checkpoint.extensions.length > 0) {
        this.#bad(`${what} has extension lines, which no Deedbox ledger signs.`)
      } else if (checkpoint.origin !== this.#origin) {
        this.#bad(`${what} is of another log: ${checkpoint.origin}.`)
      } else {
        this.#sorted.push({ checkpoint, what, kept })
        return checkpoint
      }
    } catch (error) {
      this.#bad(`${what} does not hold: ${error instanceof Error ? error.message : String(error)}`)
    }
    return undefined
  }

  /** To be called once, after the last `open`; says which of them reach beyond `size` entries. */
  start(size: number): void {
    this.#sorted.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
    for (const { checkpoint, what } of this.#sorted) {
      if (checkpoint.size > size) {
        this.#findings.add('truncated', `There are ${size} entries, but ${what} has ${checkpoint.size}.`)
      }
    }
  }

  /** Compares whatever was signed about a tree of this size. To be called at each size. */
  compare(tree: RightEdge): void {
    for (;;) {
      const signed = this.#sorted[this.#next]
      if (signed === undefined || signed.checkpoint.size > tree.size) return
      this.#next++
      if (Buffer.compare(signed.checkpoint.root, tree.root()) !== 0) {
        this.#findings.add('fork', `What is stored does not hash to ${signed.what}: these are two histories.`)
      } else if (signed.kept) this.keptSize = tree.size
    }
  }

  #bad(detail: string): void {
    this.#findings.add('bad_signature', detail[0]!.toUpperCase() + detail.slice(1))
  }
}
