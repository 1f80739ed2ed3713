// A tree under construction, written down: so that whoever re-reads a large log can stop and go on later.
//
// The state is the writer's own note, not evidence: nobody has signed it. Two things keep it honest. Its root must
// be the one that its hashes have, so a damaged file is noticed at once. And in the end the root of the whole tree
// has to be one that the log has signed, which no other beginning leads to.

import { isJsonObject } from './canonical-json.ts'
import type { Sha256 } from './crypto.ts'
import { bytesEqual, decodeBase64, encodeBase64 } from './encoding.ts'
import { TlogError } from './errors.ts'
import { RightEdge } from './right-edge.ts'

/** The right edge of a tree as plain JSON. */
export interface EdgeState {
  /** How many leaves the tree has. */
  readonly size: number
  /** Base64 of 32 bytes. */
  readonly root: string
  /** The partial tile at the end of each level that has one, as `level` and base64 of its hashes. */
  readonly tiles: readonly { readonly level: number; readonly hashes: string }[]
}

/** Writes a tree down. */
export function edgeState(edge: RightEdge): EdgeState {
  return {
    size: edge.size,
    root: encodeBase64(edge.root()),
    tiles: edge.partialTiles().map(({ level, hashes }) => ({ level, hashes: encodeBase64(hashes) })),
  }
}

/**
 * The tree that {@link edgeState} wrote down.
 * @param state anything; it may come from a file
 * @throws TlogError `malformed_proof` for what is no such state, or whose hashes do not have its root;
 * `missing_tile`, `size_out_of_range`
 */
export function edgeOfState(sha256: Sha256, state: unknown): RightEdge {
  const tiles = new Map<number, Uint8Array>()
  const { size, root, tiles: written } = isJsonObject(state) ? state : {}
  const signed = typeof root === 'string' ? decodeBase64(root) : undefined
  if (typeof size !== 'number' || signed === undefined || !Array.isArray(written)) throw malformed()
  for (const tile of written as unknown[]) {
    const { level, hashes } = isJsonObject(tile) ? tile : {}
    const bytes = typeof hashes === 'string' ? decodeBase64(hashes) : undefined
    if (typeof level !== 'number' || bytes === undefined) throw malformed()
    tiles.set(level, bytes)
  }
  const edge = RightEdge.load(sha256, size, level => tiles.get(level) ?? new Uint8Array(0))
  if (!bytesEqual(edge.root(), signed)) throw malformed()
  return edge
}

function malformed(): TlogError {
  return new TlogError('malformed_proof', 'The state of the tree is not one that was written here.')
}
