import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, encodeHex } from './encoding.ts'
import { proveConsistency, proveInclusion, treeRoot } from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { eventLeafHashes, ReferenceTree } from './testing/reference-tree.ts'
import { type TileReader, tileSubtreeReader, tilesForSize, tilesForSubtrees, tileWidth } from './tile.ts'
import { consistencySubtrees, inclusionSubtrees } from './tree-shape.ts'

const reference = new ReferenceTree(eventLeafHashes(70_000))
const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map(encodeHex)

/**
 * Hash i of tile n of a level, straight from the definition: the root over [(256n + i)·256^L, (256n + i +
 * 1)·256^L).
 */
const referenceTile: TileReader = (level, n, width) => {
  const span = 256 ** level
  const first = 256 * n
  return concatBytes(
    ...Array.from({ length: width }, (_, i) => reference.root((first + i + 1) * span, (first + i) * span)),
  )
}

test('tlog-tiles the tiles of the worked sizes', () => {
  const expected: [size: number, levels: string[]][] = [
    [0, []],
    [1, ['0 full + 1']],
    [256, ['1 full + 0', '0 full + 1']],
    [257, ['1 full + 1', '0 full + 1']],
    [65_536, ['256 full + 0', '1 full + 0', '0 full + 1']],
    [70_000, ['273 full + 112', '1 full + 17', '0 full + 1']],
    [20_852_163, ['81453 full + 195', '318 full + 45', '1 full + 62', '0 full + 1']],
  ]
  for (const [size, levels] of expected) {
    const found: string[] = []
    let full = 0
    for (const { level, n, width } of tilesForSize(size)) {
      full = n === 0 ? 0 : full
      if (width === 256) full++
      found[level] = `${full} full + ${width % 256}`
      assert.equal(tileWidth(level, n, size), width)
    }
    assert.deepEqual(found, levels, `size ${size}`)
  }
  assert.throws(() => tilesForSize(-1).next(), tlogError('size_out_of_range'))
})

test('tlog-tiles widths at the edges, and at sizes beyond 32 bits', () => {
  assert.equal(tileWidth(0, 0, 0), 0)
  assert.equal(tileWidth(0, 1, 256), 0)
  assert.equal(tileWidth(0, 0, 256), 256)
  assert.equal(tileWidth(1, 0, 255), 0)
  assert.equal(tileWidth(63, 0, Number.MAX_SAFE_INTEGER), 0)
  assert.equal(tileWidth(6, 0, Number.MAX_SAFE_INTEGER), 31)
  assert.equal(tileWidth(0, 2 ** 45 - 1, Number.MAX_SAFE_INTEGER), 255)
  assert.equal(tileWidth(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 0)
})

testWithBoth('tlog-tiles the first bytes of tile/0/000.p/7 of the worked example', ({ sha256 }) => {
  const start = '6734db3b19b64dc83703f9a1f4aee7697dfb292fb4e0827cc63f8a351b1b3609a9e8895f52faac9f'
  assert.equal(encodeHex(referenceTile(0, 0, 7).subarray(0, 40)), start)
  const read = tileSubtreeReader(sha256, referenceTile, 7)
  assert.equal(encodeHex(treeRoot(sha256, 7, read)), encodeHex(reference.root(7)))
})

test('P12 roots and proofs from tiles equal the reference, and read exactly the tiles announced', () => {
  const { sha256 } = nodeCrypto
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 70_000 }),
    fc.constantFrom(1, 255, 256, 257, 65_535, 65_536, 65_537),
  )
  const cases = sizes.chain(size =>
    fc.tuple(fc.constant(size), fc.nat(size - 1), fc.integer({ min: 1, max: size })),
  )
  fc.assert(
    fc.property(cases, ([size, index, oldSize]) => {
      const inclusion = recorder(size)
      assert.deepEqual(
        hex(proveInclusion(sha256, index, size, inclusion.read)),
        hex(reference.inclusionProof(index, size)),
      )
      assert.deepEqual(inclusion.tiles, tilesForSubtrees(inclusionSubtrees(index, size), size))
      const consistency = recorder(size)
      assert.deepEqual(
        hex(proveConsistency(sha256, oldSize, size, consistency.read)),
        hex(reference.consistencyProof(oldSize, size)),
      )
      assert.deepEqual(consistency.tiles, tilesForSubtrees(consistencySubtrees(oldSize, size), size))
      assert.deepEqual(treeRoot(sha256, size, recorder(size).read), reference.root(size))
    }),
    { numRuns: 200 },
  )
})

function recorder(size: number): { read: (level: number, index: number) => Uint8Array; tiles: unknown[] } {
  const tiles: unknown[] = []
  const readTile: TileReader = (level, n, width) => {
    tiles.push({ level, n, width })
    return referenceTile(level, n, width)
  }
  return { read: tileSubtreeReader(nodeCrypto.sha256, readTile, size), tiles }
}

testWithBoth('P12 a row that has grown beyond the tree serves its prefix', ({ sha256 }) => {
  const read = tileSubtreeReader(sha256, (level, n) => referenceTile(level, n, 256), 70)
  assert.deepEqual(treeRoot(sha256, 70, read), reference.root(70))
})

testWithBoth('P6 a missing or short tile is told apart from a wrong one', ({ sha256 }) => {
  const short = tileSubtreeReader(
    sha256,
    (level, n, width) => referenceTile(level, n, width).subarray(1),
    300,
  )
  assert.throws(() => treeRoot(sha256, 300, short), tlogError('missing_tile'))
  const absent = tileSubtreeReader(sha256, () => new Uint8Array(0), 300)
  assert.throws(() => proveInclusion(sha256, 0, 300, absent), tlogError('missing_tile'))
})

test('subtrees outside the tree are refused, not made up', () => {
  const outOfRange = tlogError('size_out_of_range')
  const read = tileSubtreeReader(nodeCrypto.sha256, referenceTile, 300)
  for (const [level, index] of [
    [0, 300],
    [3, 37],
    [8, 1],
    [9, 0],
    [-1, 0],
    [0, -1],
    [0.5, 0],
    [Number.NaN, 0],
  ] as const) {
    assert.throws(() => read(level, index), outOfRange, `${level}/${index}`)
    assert.throws(() => tilesForSubtrees([{ level, index }], 300), outOfRange)
  }
  assert.throws(() => tileSubtreeReader(nodeCrypto.sha256, referenceTile, -1), outOfRange)
})
