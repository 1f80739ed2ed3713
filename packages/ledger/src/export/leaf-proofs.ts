import {
  fullTileWidth,
  proveInclusion,
  type SubtreeReader,
  type TileReader,
  tileSubtreeReader,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'

const { sha256 } = nodeCrypto

/** Levels of the tree inside a tile. */
const levelsPerTile = 8

/** A reader of subtrees keeps every tile it has read: after this many leaves' tiles it is dropped for a new one. */
const tilesPerReader = 64

/**
 * Inclusion proofs of many leaves in order, all for one tree: the leaves of a full tile share the upper part of their
 * proofs, which is looked up once for all 256. Holds a bounded number of tiles.
 */
export class LeafProofs {
  readonly #readTile: TileReader
  readonly #size: number
  #read: SubtreeReader
  #tilesRead = 0
  #tile = -1
  /** The proof above the tile at hand, base64; undefined while the tile is not full. */
  #upper: string[] | undefined

  /** @param size the leaves of the tree that the proofs are for */
  constructor(readTile: TileReader, size: number) {
    this.#readTile = readTile
    this.#size = size
    this.#read = tileSubtreeReader(sha256, readTile, size)
  }

  /**
   * The hashes of a leaf's proof in base64, its sibling first.
   *
   * @throws TlogError `missing_tile`, `size_out_of_range`
   */
  of(index: number): string[] {
    const tile = Math.floor(index / fullTileWidth)
    if (tile !== this.#tile) this.#enter(tile)
    if (this.#upper === undefined) return proveInclusion(sha256, index, this.#size, this.#read).map(base64)
    const lines: string[] = []
    for (let level = 0, node = index; level < levelsPerTile; level++, node = Math.floor(node / 2)) {
      lines.push(base64(this.#read(level, node % 2 === 0 ? node + 1 : node - 1)))
    }
    lines.push(...this.#upper)
    return lines
  }

  #enter(tile: number): void {
    if (++this.#tilesRead % tilesPerReader === 0) {
      this.#read = tileSubtreeReader(sha256, this.#readTile, this.#size)
    }
    this.#tile = tile
    const first = tile * fullTileWidth
    const isFull = first + fullTileWidth <= this.#size
    this.#upper = isFull
      ? proveInclusion(sha256, first, this.#size, this.#read).slice(levelsPerTile).map(base64)
      : undefined
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
