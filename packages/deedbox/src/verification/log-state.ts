import {
  type EdgeState,
  edgeOfState,
  formatVerifierKey,
  type RightEdge,
  TlogError,
  type VerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'

/**
 * Where the verification of a log from outside ended, as plain JSON. It is the verifier's own note and vouches for
 * nothing: the root of the whole tree has to be a signed one in the end. All before it was sound.
 */
export interface LogState {
  format: 'deedbox-verification/v1'
  what: 'url'
  origin: string
  /** The verifier keys that were given; empty: the log's own. */
  keys: string[]
  tree: EdgeState
  /** The newest checkpoint of that run: the log has to extend it. */
  checkpoint: string
  /** The checkpoints that were kept and given so far. */
  kept: string[]
  isEvents: boolean | null
  lastAt: string
  earlier: { from: number; to: number; at: string }[]
}

/** The progress of an earlier run is of something else. */
export class StateMisfit extends Error {
  override readonly name: string = 'StateMisfit'
  /** For the command's last line. */
  readonly code: string = 'state_misfit'

  /** @param why the rest of a sentence */
  constructor(why: string) {
    super(
      `The progress of the earlier run does not fit: ${why}. Name another file, or remove this one to begin anew.`,
    )
  }
}

/**
 * The tree of a state, if the state is about this log and these keys.
 *
 * @throws StateMisfit
 */
export function treeOfState(state: LogState, origin: string, pinned: readonly VerifierKey[]): RightEdge {
  if (state.format !== 'deedbox-verification/v1' || state.what !== 'url') {
    throw new StateMisfit('it is not of a verification with --url by this version')
  }
  if (state.origin !== origin) throw new StateMisfit(`it is of another log, ${String(state.origin)}`)
  if (JSON.stringify(state.keys) !== JSON.stringify(pinned.map(formatVerifierKey))) {
    throw new StateMisfit('it was made with other verifier keys')
  }
  const isWhole =
    Array.isArray(state.kept) &&
    Array.isArray(state.earlier) &&
    typeof state.checkpoint === 'string' &&
    typeof state.lastAt === 'string' &&
    (state.isEvents === null || typeof state.isEvents === 'boolean')
  try {
    const tree = edgeOfState(nodeCrypto.sha256, state.tree)
    if (isWhole && tree.size % 256 === 0) return tree
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
  }
  throw new StateMisfit('it is damaged')
}
