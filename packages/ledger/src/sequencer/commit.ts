import type { LedgerErrorCode } from '../errors.ts'

/** One transaction of a ledger, as the process that asked for it saw it. */
export interface Commit {
  /** The ledger's name inside its file. */
  readonly ledger: string
  /** What was submitted: entries, repeats of earlier ones, and what was refused alone. */
  readonly submitted: number
  /** Entries that the tree has got by it; 0 where it failed. */
  readonly appended: number
  /** Of what was submitted, repeats of earlier entries. */
  readonly repeated: number
  /** Seconds until it was durable, or had failed: the disk, and the way to the writer's thread and back. */
  readonly seconds: number
  /** Why nothing was stored; `outcome_unknown` where that cannot be told. */
  readonly failure: LedgerErrorCode | undefined
}

/** Told of each transaction. What it throws is lost. */
export type CommitListener = (commit: Commit) => void

/** Who wants to know of transactions. */
export class CommitListeners {
  readonly #listeners = new Set<CommitListener>()

  /** Returns how to undo it. */
  add(listener: CommitListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Never throws: an event that is stored is acknowledged, whoever watches. */
  tell(commit: Commit): void {
    for (const listener of this.#listeners) {
      try {
        listener(commit)
      } catch {}
    }
  }
}
