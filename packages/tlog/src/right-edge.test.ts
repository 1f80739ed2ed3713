import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, encodeHex } from './encoding.ts'
import { nodeCrypto } from './node-crypto.ts'
import { type ChangedTile, RightEdge } from './right-edge.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { eventLeafHashes, ReferenceTree } from './testing/reference-tree.ts'
import { rootOf7 } from './testing/vectors.ts'
import { type TileReader, tilesForSize } from './tile.ts'

const leaves = eventLeafHashes(70_000)
const reference = new ReferenceTree(leaves)
const boundaries = [255, 256, 257, 65_535, 65_536, 65_537]
const { sha256 } = nodeCrypto

/** What a store does with changed tiles: the newest bytes of each tile in place of the older ones. */
class TileRows {
  readonly rows = new Map<string, Uint8Array>()

  save(changed: readonly ChangedTile[]): void {
    for (const { level, n, width, hashes } of changed) {
      assert.equal(hashes.length, width * 32)
      const old = this.rows.get(`${level}/${n}`) ?? new Uint8Array(0)
      assert.deepEqual(hashes.subarray(0, old.length), old, 'P12 a tile only ever grows at its end')
      this.rows.set(`${level}/${n}`, hashes)
    }
  }

  readonly read: TileReader = (level, n) => this.rows.get(`${level}/${n}`) ?? new Uint8Array(0)
}

/** Asserts that the rows are exactly the tiles of a tree of this size, byte for byte. */
function assertRows(rows: TileRows, size: number): void {
  let count = 0
  for (const { level, n, width } of tilesForSize(size)) {
    count++
    const row = rows.read(level, n, width)
    assert.equal(row.length, width * 32, `tile ${level}/${n} of size ${size}`)
    const span = 256 ** level
    for (const i of [0, width >> 1, width - 1]) {
      const expected = reference.root((256 * n + i + 1) * span, (256 * n + i) * span)
      assert.equal(encodeHex(row.subarray(32 * i, 32 * i + 32)), encodeHex(expected))
    }
  }
  assert.equal(rows.rows.size, count, `no other tiles at size ${size}`)
}

function append(edge: RightEdge, count: number): void {
  for (const leaf of leaves.slice(edge.size, edge.size + count)) edge.append(leaf)
}

testWithBoth('P8 an edge starts with the empty tree and no tiles', ({ sha256 }) => {
  for (const edge of [
    RightEdge.empty(sha256),
    RightEdge.load(sha256, 0, () => assert.fail('there is no tile to read')),
  ]) {
    assert.equal(edge.size, 0)
    assert.deepEqual(edge.root(), reference.root(0))
    assert.deepEqual(edge.takeChangedTiles(), [])
  }
})

testWithBoth('P11 the first leaf changes size, root and tiles', ({ sha256 }) => {
  const edge = RightEdge.empty(sha256)
  edge.append(leaves[0]!)
  assert.equal(edge.size, 1)
  assert.deepEqual(edge.root(), leaves[0])
  assert.deepEqual(edge.takeChangedTiles(), [{ level: 0, n: 0, width: 1, hashes: leaves[0] }])
  assert.deepEqual(edge.takeChangedTiles(), [])
})

testWithBoth('RFC 6962 the root after each of the first 600 leaves equals the reference', ({ sha256 }) => {
  const edge = RightEdge.empty(sha256)
  for (let size = 1; size <= 600; size++) {
    edge.append(leaves[size - 1]!)
    assert.equal(edge.size, size)
    assert.equal(encodeHex(edge.root()), encodeHex(reference.root(size)))
    if (size === 7) assert.equal(encodeHex(edge.root()), rootOf7)
  }
})

test('P12 tiles taken in batches of any size are the tiles of the tree', () => {
  const batches = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(batches, counts => {
      const edge = RightEdge.empty(sha256)
      const rows = new TileRows()
      for (const count of counts) {
        append(edge, count)
        rows.save(edge.takeChangedTiles())
        assertRows(rows, edge.size)
        assert.deepEqual(edge.root(), reference.root(edge.size))
      }
    }),
    { numRuns: 40 },
  )
})

test('P12 an edge loaded at a tile boundary goes on exactly like one that was never dropped', () => {
  const edge = RightEdge.empty(sha256)
  const rows = new TileRows()
  for (const size of [...boundaries, 70_000]) {
    append(edge, size - edge.size)
    rows.save(edge.takeChangedTiles())
    assertRows(rows, size)
    const read: string[] = []
    const loaded = RightEdge.load(sha256, size, (level, n, width) => {
      read.push(`${level}/${n}.p/${width}`)
      return rows.read(level, n, width)
    })
    assert.equal(loaded.size, size)
    assert.deepEqual(loaded.root(), reference.root(size))
    assert.deepEqual(loaded.takeChangedTiles(), [], 'what was loaded has not changed')
    assert.deepEqual(read, partialTilesOf(size), 'it reads the right edge only')
    if (size === 70_000) continue
    append(loaded, 3)
    assert.deepEqual(loaded.root(), reference.root(size + 3))
    const copy = new TileRows()
    for (const [key, row] of rows.rows) copy.rows.set(key, row)
    copy.save(loaded.takeChangedTiles())
    assertRows(copy, size + 3)
  }
})

function partialTilesOf(size: number): string[] {
  return [...tilesForSize(size)]
    .filter(({ width }) => width < 256)
    .map(({ level, n, width }) => `${level}/${n}.p/${width}`)
}

test('P12 rows of a larger tree serve every smaller one: loaded at any size, an edge grows right', () => {
  const all = new TileRows()
  const edge = RightEdge.empty(sha256)
  append(edge, 70_000)
  all.save(edge.takeChangedTiles())
  const sizes = fc
    .integer({ min: 0, max: 69_400 })
    .chain(size => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: 600 })))
  fc.assert(
    fc.property(sizes, ([size, more]) => {
      const loaded = RightEdge.load(sha256, size, all.read)
      assert.deepEqual(loaded.root(), reference.root(size))
      append(loaded, more)
      assert.deepEqual(loaded.root(), reference.root(size + more))
    }),
    { numRuns: 150 },
  )
})

test('P12 taking the tiles after every leaf shows each change once, across a tile boundary', () => {
  const edge = RightEdge.empty(sha256)
  append(edge, 254)
  edge.takeChangedTiles()
  const shapes = [255, 256, 257].map(() => {
    append(edge, 1)
    return edge.takeChangedTiles().map(({ level, n, width }) => `${level}/${n}:${width}`)
  })
  assert.deepEqual(shapes, [['0/0:255'], ['0/0:256', '1/0:1'], ['0/1:1']])
})

test('P6 a tile that is missing or short is an error of its own', () => {
  const edge = RightEdge.empty(sha256)
  const rows = new TileRows()
  append(edge, 600)
  rows.save(edge.takeChangedTiles())
  const missing = tlogError('missing_tile')
  assert.throws(() => RightEdge.load(sha256, 600, () => new Uint8Array(0)), missing)
  for (const level of [0, 1]) {
    const short: TileReader = (l, n, width) => rows.read(l, n, width).subarray(l === level ? 1 : 0)
    assert.throws(() => RightEdge.load(sha256, 600, short), missing, `level ${level}`)
  }
  assert.throws(() => RightEdge.load(sha256, -1, rows.read), tlogError('size_out_of_range'))
})

test('P17 a leaf hash that is not 32 bytes is refused and leaves the edge as it was', () => {
  const edge = RightEdge.empty(sha256)
  append(edge, 5)
  for (const length of [0, 16, 31, 33]) {
    assert.throws(() => edge.append(new Uint8Array(length)), tlogError('malformed_hash'))
  }
  assert.equal(edge.size, 5)
  assert.deepEqual(edge.root(), reference.root(5))
})

test('an edge shares no memory with what it was given or what it handed out', () => {
  const edge = RightEdge.empty(sha256)
  for (let i = 0; i < 300; i++) {
    const leaf = leaves[i]!.slice()
    edge.append(leaf)
    leaf.fill(0xff)
    edge.root().fill(0xff)
    if (i % 7 === 0) for (const { hashes } of edge.takeChangedTiles()) hashes.fill(0xff)
  }
  assert.deepEqual(edge.root(), reference.root(300))
  edge.append(leaves[300]!)
  const [last] = edge.takeChangedTiles()
  assert.deepEqual(last, { level: 0, n: 1, width: 45, hashes: concatBytes(...leaves.slice(256, 301)) })
})

test('P12 a row longer than the tile, even than a full one, is read as far as the tree goes', () => {
  const edge = RightEdge.load(sha256, 5, () => concatBytes(...leaves.slice(0, 300)))
  assert.deepEqual(edge.root(), reference.root(5))
  append(edge, 4)
  assert.deepEqual(edge.takeChangedTiles()[0]!.hashes, concatBytes(...leaves.slice(0, 9)))
})
