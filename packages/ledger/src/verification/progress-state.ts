import {
  type EdgeState,
  edgeOfState,
  edgeState,
  formatVerifierKey,
  type RightEdge,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import type { LedgerRow } from '../store/index.ts'
import type { KeySumState } from './key-sum.ts'
import type { RedactionsState } from './redactions.ts'
import type { LedgerAct } from './stretch-check.ts'
import { stretchLength } from './term-check.ts'

/**
 * Where the verification of one stored ledger ended, as plain JSON. It is the verifier's own note and vouches for nothing:
 * the root of the whole tree has to be a signed one in the end. All before it was sound.
 */
export interface VerificationState {
  origin: string
  /** The verifier keys that were given; empty: the ledger's own. */
  keys: string[]
  tree: EdgeState
  /** The newest signed checkpoint of that run: what is read later has to extend it. */
  checkpoint: string
  earlier: { from: number; to: number; at: string }[]
  secret: string
  keyUses: KeySumState
  acts: (Omit<LedgerAct, 'payload'> & { payload: string })[]
  redactions: RedactionsState
  checked: number
  lastAt: number
}

/** A {@link VerificationState} with its values in memory. */
export interface Progress
  extends Pick<VerificationState, 'secret' | 'redactions' | 'checked' | 'lastAt' | 'earlier'> {
  tree: RightEdge
  keys: KeySumState
  acts: LedgerAct[]
}

/** Writes down how far a verification has come. */
export function stateOf(
  progress: Progress & {
    ledger: LedgerRow
    pinned: readonly VerifierKey[]
    checkpoint: string
  },
): VerificationState {
  const { ledger, pinned, tree, keys, acts, ...same } = progress
  return {
    origin: ledger.origin,
    keys: pinned.map(formatVerifierKey),
    tree: edgeState(tree),
    keyUses: keys,
    acts: acts.map(act => ({ ...act, payload: Buffer.from(act.payload).toString('base64') })),
    ...same,
  }
}

/**
 * Reads what {@link stateOf} wrote, if it is about this ledger and these keys.
 *
 * @throws LedgerError `invalid_option` with a sentence
 */
export function openState(
  state: VerificationState,
  ledger: LedgerRow,
  pinned: readonly VerifierKey[],
): Progress {
  if (state.origin !== ledger.origin) throw misfit(`it is of another ledger, ${state.origin}`)
  if (JSON.stringify(state.keys) !== JSON.stringify(pinned.map(formatVerifierKey))) {
    throw misfit('it was made with other verifier keys')
  }
  try {
    const tree = edgeOfState(nodeCrypto.sha256, state.tree)
    if (tree.size % stretchLength !== 0 || state.keyUses.words.length !== 4) throw misfit('it is damaged')
    return {
      secret: String(state.secret),
      keys: state.keyUses,
      acts: state.acts.map(act => ({ ...act, payload: Buffer.from(act.payload, 'base64') })),
      tree,
      redactions: state.redactions,
      checked: state.checked,
      lastAt: state.lastAt,
      earlier: state.earlier,
    }
  } catch {
    throw misfit('it is damaged')
  }
}

/** The progress of an earlier run that is of something else. */
export function misfit(why: string): LedgerError {
  return new LedgerError(
    'invalid_option',
    `The progress of the earlier run does not fit: ${why}. Name another file, or remove this one to begin anew.`,
  )
}
