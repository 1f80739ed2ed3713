import type { Kept, Laboratory, LedgerCopy } from './laboratory.ts'

/**
 * A way in which somebody may come to know of an attack.
 *
 * - `no_key`: re-reads the data, or checks the receipt, with the verifier key that came with it
 * - `key`: the same with the key that he got before
 * - `checkpoint`: and with the checkpoint that he kept
 * - `receipt`: and with the checkpoint inside the receipt that he kept
 * - `guard`: and with the rollback guard of this machine
 * - `start`: opens the ledger for writing, as `deedbox serve` does
 * - `others`: compares what he was shown with the checkpoint of somebody else
 */
export type Means = 'no_key' | 'key' | 'checkpoint' | 'receipt' | 'guard' | 'start' | 'others'

/** What an attack leaves for others to look at: a ledger, or one file that is handed to somebody. */
export type Exhibit =
  | {
      what: 'ledger'
      copy: LedgerCopy
      /** What the one who looks at it has kept, if not the laboratory's. */
      kept?: Kept
      /** A checkpoint that somebody else was given. */
      others?: string
    }
  | { what: 'receipt'; text: string }

/** Something that somebody may do to a ledger. */
export interface Attack {
  /** Short, for machines and folders: lower case and hyphens. */
  name: string
  title: string
  /** A sentence: what exactly is done, and what is fixed up so that it is not seen. */
  does: string
  /** Who can: attacks of the same people stand together. */
  by: string
  /** Does it, to a fresh copy that is the attack's own. */
  perform(copy: LedgerCopy, lab: Laboratory): Exhibit | Promise<Exhibit>
  /**
   * What each means has to say: a verdict, the code of a refusal, or `starts`. A difference in either direction
   * makes the laboratory fail: a detector that broke, or one that notices more than this table admits.
   */
  expected: Partial<Record<Means, string>>
  /** What has to be there for it to be noticed. */
  takes: string
}

/** Expected where each re-reading says `code`. Most damage lies where a start does not look: it reads the edge only. */
export function seenByAll(code: string, start = 'starts'): Attack['expected'] {
  return { no_key: code, key: code, checkpoint: code, receipt: code, guard: code, start }
}

/** Expected where nothing that lies beside the data shows anything, the guard included: only what somebody kept can. */
export function seenOnlyByKept(kept: string): Attack['expected'] {
  return { ...unseen, checkpoint: kept, receipt: kept }
}

/** Expected where nobody notices. */
export const unseen: Attack['expected'] = {
  no_key: 'ok_unpinned',
  key: 'ok',
  checkpoint: 'ok',
  receipt: 'ok',
  guard: 'ok',
  start: 'starts',
}
