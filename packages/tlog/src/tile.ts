// Tiles: a Merkle tree cut into files that never change (C2SP tlog-tiles).
//
// A tree of height 8 fits into a file: 256 hashes of 32 bytes, 8,192 bytes in all. Tiles of level 0 hold leaf
// hashes. The root of a full tile of level L is one hash in a tile of level L + 1. In general hash i of tile
// n of level L is the hash of the perfect subtree over 256^L leaves
//
//     [ (256 n + i) · 256^L , (256 n + i + 1) · 256^L )
//
// and seven of eight binary levels are stored nowhere: they lie inside a tile and are hashed again when
// needed, at most 255 node hashes a tile. That is the bargain of tiles: an eighth of the levels stored, no
// dynamic proof service, every file cacheable for ever.
//
// A tree of 70,000 leaves has 273 full tiles and one of width 112 at level 0 (273 · 256 + 112), one full tile
// and one of width 17 at level 1 (256 + 17 = 273), and one of width 1 at level 2. A tile that is not full is
// a prefix of the tile that it will become: storing one growing row and serving the first W hashes of it is
// enough for every size that was ever published.

import type { Sha256 } from './crypto.ts'
import { TlogError } from './errors.ts'
import { hashSize, nodeHash, type SubtreeReader } from './merkle.ts'
import { fullTileWidth } from './tile-path.ts'
import { requireSize, type Subtree } from './tree-shape.ts'

/** A tile of hashes at some width, from 1 to 256 (full). */
export interface Tile {
  readonly level: number
  readonly n: number
  readonly width: number
}

/**
 * Reads a tile: at least the first `width` · 32 bytes of it. More is allowed (a row that has grown since),
 * and is ignored. Throws when the tile is not there, or answers fewer bytes and leaves the error to the
 * caller.
 */
export type TileReader = (level: number, n: number, width: number) => Uint8Array

/**
 * How many hashes tile `n` of `level` has in a tree of `size` leaves: 0 (there is no such tile) to 256
 * (full). The same for entry bundles, with level 0.
 * @throws TlogError `size_out_of_range`
 */
export function tileWidth(level: number, n: number, size: number): number {
  requireSize(size, 'The tree size')
  const hashes = Math.floor(size / fullTileWidth ** level)
  return Math.min(Math.max(hashes - n * fullTileWidth, 0), fullTileWidth)
}

/**
 * All tiles of a tree of `size` leaves, lowest level first and from left to right; the last of each level may
 * be partial. Computed as they are asked for: a large tree has very many.
 * @throws TlogError `size_out_of_range`, when the first one is asked for
 */
export function* tilesForSize(size: number): Generator<Tile, void, undefined> {
  requireSize(size, 'The tree size')
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / fullTileWidth)) {
    for (let n = 0; n * fullTileWidth < hashes; n++) yield { level, n, width: tileWidth(level, n, size) }
  }
}

/**
 * The tiles that hold the given subtrees of a tree of `size` leaves, each once, in the order of first use, so
 * that an asynchronous client can fetch them and then call the synchronous prover.
 * @throws TlogError `size_out_of_range` for a subtree that is not within the tree
 */
export function tilesForSubtrees(subtrees: readonly Subtree[], size: number): Tile[] {
  const tiles = new Map<string, Tile>()
  for (const { level, index } of subtrees) {
    const { tile } = locate(level, index, size)
    tiles.set(`${tile.level}/${tile.n}`, tile)
  }
  return [...tiles.values()]
}

/**
 * A {@link SubtreeReader} over the tiles of a tree of `size` leaves. Each tile is read once, at its width in
 * that tree, and stays in memory together with the inner hashes computed from it: use one reader for one
 * request or batch, then drop it.
 * @throws TlogError (the reader, not this function) `missing_tile` for a tile that is too short,
 * `size_out_of_range` for a subtree that is not within the tree, and whatever `readTile` throws
 */
export function tileSubtreeReader(sha256: Sha256, readTile: TileReader, size: number): SubtreeReader {
  requireSize(size, 'The tree size')
  const tiles = new Map<string, TileTree>()
  return (level, index) => {
    const { tile, height, position } = locate(level, index, size)
    const key = `${tile.level}/${tile.n}`
    let tree = tiles.get(key)
    if (tree === undefined) {
      tree = new TileTree(sha256, readWholeTile(readTile, tile))
      tiles.set(key, tree)
    }
    return tree.subtree(height, position)
  }
}

/**
 * Reads exactly the tile's `width` · 32 bytes.
 * @throws TlogError `missing_tile` when there are fewer
 */
export function readWholeTile(readTile: TileReader, { level, n, width }: Tile): Uint8Array {
  const bytes = readTile(level, n, width)
  if (bytes.length < width * hashSize) {
    throw new TlogError(
      'missing_tile',
      `Tile ${n} of level ${level} should have ${width * hashSize} bytes but has ${bytes.length}.`,
    )
  }
  return bytes.subarray(0, width * hashSize)
}

/**
 * The tile that holds a perfect subtree, the subtree's height above the tile's hashes, and its position
 * there.
 */
function locate(
  level: number,
  index: number,
  size: number,
): { tile: Tile; height: number; position: number } {
  requireSize(level, 'The level of a subtree')
  requireSize(index, 'The index of a subtree')
  const tileLevel = Math.floor(level / 8)
  const height = level % 8
  const perTile = fullTileWidth / 2 ** height
  const n = Math.floor(index / perTile)
  const position = index % perTile
  const width = tileWidth(tileLevel, n, size)
  if ((position + 1) * 2 ** height > width) {
    throw new TlogError(
      'size_out_of_range',
      `Subtree ${index} of level ${level} is not within a tree of ${size} leaves.`,
    )
  }
  return { tile: { level: tileLevel, n, width }, height, position }
}

/**
 * The binary tree inside a tile, hashed on demand. Node 1 would be its root; node i has the children 2i and
 * 2i + 1.
 */
class TileTree {
  readonly #sha256: Sha256
  readonly #hashes: Uint8Array
  readonly #nodes: (Uint8Array | undefined)[] = new Array(fullTileWidth)

  constructor(sha256: Sha256, hashes: Uint8Array) {
    this.#sha256 = sha256
    this.#hashes = hashes
  }

  subtree(height: number, position: number): Uint8Array {
    return this.#node(fullTileWidth / 2 ** height + position)
  }

  #node(node: number): Uint8Array {
    if (node >= fullTileWidth) {
      const start = (node - fullTileWidth) * hashSize
      return this.#hashes.subarray(start, start + hashSize)
    }
    this.#nodes[node] ??= nodeHash(this.#sha256, this.#node(2 * node), this.#node(2 * node + 1))
    return this.#nodes[node]
  }
}
