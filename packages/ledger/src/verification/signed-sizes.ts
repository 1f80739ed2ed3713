import {
  type Checkpoint,
  checkConsistency,
  openCheckpoint,
  type RightEdge,
  TlogError,
  type VerifierKey,
} from '@deedbox/tlog'
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

  /**
   * To be called once, after the last `open`; says which of them reach beyond `size` entries.
   *
   * @param begun the tree with which comparing begins. What was signed about smaller ones was compared in an earlier
   *   run, except what the caller brought along: that is compared by a proof, see `proofFrom`.
   * @param proofFrom a consistency proof from a smaller size to the begun tree
   */
  start(size: number, begun: RightEdge, proofFrom: (size: number) => Uint8Array[]): void {
    this.#sorted.sort((a, b) => a.checkpoint.size - b.checkpoint.size)
    for (const { checkpoint, what } of this.#sorted) {
      if (checkpoint.size > size) {
        this.#findings.add('truncated', `There are ${size} entries, but ${what} has ${checkpoint.size}.`)
      }
    }
    const { size: newSize } = begun
    const newRoot = begun.root()
    for (; (this.#sorted[this.#next]?.checkpoint.size ?? newSize) < newSize; this.#next++) {
      const { checkpoint, what, kept } = this.#sorted[this.#next]!
      if (!kept) continue
      const { size: oldSize, root: oldRoot } = checkpoint
      try {
        const proof = proofFrom(oldSize)
        checkConsistency(nodeCrypto.sha256, { oldSize, oldRoot, newSize, newRoot, proof })
        this.keptSize = oldSize
      } catch (error) {
        if (!(error instanceof TlogError)) throw error
        this.#fork(what)
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
        this.#fork(signed.what)
      } else if (signed.kept) this.keptSize = tree.size
    }
  }

  #fork(what: string): void {
    this.#findings.add('fork', `What is stored does not hash to ${what}: these are two histories.`)
  }

  #bad(detail: string): void {
    this.#findings.add('bad_signature', detail[0]!.toUpperCase() + detail.slice(1))
  }
}
