// The right edge: all that a log must remember in order to grow.
//
// The root of a tree is a fold over its peaks, the perfect subtrees that it is made of, one for each binary
// digit of its size that is 1. Seven leaves: a peak of 4, one of 2, one of 1. Appending a leaf is adding one
// to that number. Where the addition carries, two peaks of equal height become one of the next height, for
// one node hash each:
//
//     size 7 = 111        peaks [0,4) [4,6) [6,7)
//          + 1            [6,7) with leaf 7 gives [6,8); with [4,6) that gives [4,8); with [0,4), [0,8)
//     size 8 = 1000       peak  [0,8)
//
// Over many leaves the carries amount to one node hash per leaf. Every eighth carry completes a subtree of
// height 8, 16, …: the root of a tile that is now full, and the next hash in a tile of the level above
// (tile.ts). So the same addition yields the tiles that a log has to write.
//
// The edge can be rebuilt from the last tile of each level, and from nothing else. It holds no more than
// that: 8 KiB a level.

import type { Sha256 } from './crypto.ts'
import { TlogError } from './errors.ts'
import { emptyRoot, hashSize, nodeHash } from './merkle.ts'
import { readWholeTile, type Tile, type TileReader, tileWidth } from './tile.ts'
import { fullTileWidth } from './tile-path.ts'
import { requireSize } from './tree-shape.ts'

/**
 * A tile to be stored in place of what is there: `hashes` is `width` · 32 bytes, and the receiver's to keep.
 */
export interface ChangedTile extends Tile {
  readonly hashes: Uint8Array
}

/** The tile at the right end of a level, and the full ones before it that nobody has taken yet. */
interface GrowingTile {
  n: number
  width: number
  hashes: Uint8Array
  isChanged: boolean
  completed: ChangedTile[]
}

/** The state that a sequencer keeps: append leaf hashes, ask for the root, collect the tiles that changed. */
export class RightEdge {
  readonly #sha256: Sha256
  /**
   * Where binary digit h of the size is 1, `#peaks[h]` is the peak of height h. The others are spare room.
   */
  readonly #peaks: Uint8Array[] = []
  readonly #tiles: GrowingTile[] = []
  #size = 0

  private constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  /** The edge of a tree without leaves. */
  static empty(sha256: Sha256): RightEdge {
    return new RightEdge(sha256)
  }

  /**
   * The edge of a stored tree of `size` leaves. Reads the last tile of each level, one at most. What is read
   * is not trusted to be right: compare {@link RightEdge.root} with the root that was signed before appending
   * anything.
   * @throws TlogError `missing_tile` when a tile is shorter than `size` demands, `size_out_of_range`, and
   * whatever `readTile` throws
   */
  static load(sha256: Sha256, size: number, readTile: TileReader): RightEdge {
    requireSize(size, 'The tree size')
    const edge = new RightEdge(sha256)
    edge.#size = size
    for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / fullTileWidth)) {
      const n = Math.floor(hashes / fullTileWidth)
      const tile = growingTile(n)
      tile.width = tileWidth(level, n, size)
      if (tile.width > 0) tile.hashes.set(readWholeTile(readTile, { level, n, width: tile.width }))
      edge.#tiles.push(tile)
      edge.#raisePeaks(level, tile)
    }
    return edge
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size
  }

  /**
   * Appends one leaf by its hash (see `leafHash`). Costs one node hash on average.
   * @throws TlogError `malformed_hash` unless it is 32 bytes, `size_out_of_range` when the tree cannot grow
   * further
   */
  append(leafHash: Uint8Array): void {
    if (leafHash.length !== hashSize) {
      throw new TlogError('malformed_hash', `A leaf hash must be ${hashSize} bytes, not ${leafHash.length}.`)
    }
    requireSize(this.#size + 1, 'The tree size')
    this.#pushToTile(0, leafHash)
    let hash = leafHash
    let height = 0
    for (let digits = this.#size; digits % 2 === 1; digits = (digits - 1) / 2) {
      hash = nodeHash(this.#sha256, this.#peaks[height]!, hash)
      height++
      if (height % 8 === 0) this.#pushToTile(height / 8, hash)
    }
    this.#setPeak(height, hash)
    this.#size++
  }

  /** The root of the tree as it is now; one node hash for each peak but one. */
  root(): Uint8Array {
    let root: Uint8Array | undefined
    for (let height = 0, digits = this.#size; digits > 0; height++, digits = Math.floor(digits / 2)) {
      if (digits % 2 === 0) continue
      const peak = this.#peaks[height]!
      root = root === undefined ? peak.slice() : nodeHash(this.#sha256, peak, root)
    }
    return root ?? emptyRoot(this.#sha256)
  }

  /**
   * The tiles that differ from what the last call returned (or from what was loaded): those that became full,
   * and the partial one at the end of each level, as they are now. Lowest level first, from left to right.
   */
  takeChangedTiles(): ChangedTile[] {
    const changed: ChangedTile[] = []
    for (const [level, tile] of this.#tiles.entries()) {
      for (const full of tile.completed) changed.push(full)
      tile.completed = []
      if (!tile.isChanged) continue
      tile.isChanged = false
      changed.push({
        level,
        n: tile.n,
        width: tile.width,
        hashes: tile.hashes.slice(0, tile.width * hashSize),
      })
    }
    return changed
  }

  /**
   * The partial tile at the end of each level that has one, lowest level first. With the size they are all that
   * {@link RightEdge.load} reads, so they carry a tree over to another process.
   */
  partialTiles(): ChangedTile[] {
    return this.#tiles.flatMap(({ n, width, hashes }, level) =>
      width === 0 ? [] : [{ level, n, width, hashes: hashes.slice(0, width * hashSize) }],
    )
  }

  #pushToTile(level: number, hash: Uint8Array): void {
    this.#tiles[level] ??= growingTile(0)
    const tile = this.#tiles[level]
    tile.hashes.set(hash, tile.width * hashSize)
    tile.width++
    tile.isChanged = true
    if (tile.width === fullTileWidth) {
      tile.completed.push({ level, n: tile.n, width: fullTileWidth, hashes: tile.hashes })
      tile.n++
      tile.width = 0
      tile.hashes = new Uint8Array(fullTileWidth * hashSize)
      tile.isChanged = false
    }
  }

  #setPeak(height: number, hash: Uint8Array): void {
    this.#peaks[height] ??= new Uint8Array(hashSize)
    this.#peaks[height].set(hash)
  }

  /** The peaks inside a partial tile: one for each binary digit of its width, the highest first. */
  #raisePeaks(level: number, tile: GrowingTile): void {
    let start = 0
    for (let height = 7; height >= 0; height--) {
      const count = 2 ** height
      if (start + count > tile.width) continue
      this.#setPeak(8 * level + height, this.#perfectRoot(tile.hashes, start, count))
      start += count
    }
  }

  #perfectRoot(hashes: Uint8Array, start: number, count: number): Uint8Array {
    if (count === 1) return hashes.subarray(start * hashSize, (start + 1) * hashSize)
    const half = count / 2
    return nodeHash(
      this.#sha256,
      this.#perfectRoot(hashes, start, half),
      this.#perfectRoot(hashes, start + half, half),
    )
  }
}

function growingTile(n: number): GrowingTile {
  return { n, width: 0, hashes: new Uint8Array(fullTileWidth * hashSize), isChanged: false, completed: [] }
}
