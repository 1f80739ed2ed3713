import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, decodeBase64, encodeBase64, encodeHex } from './encoding.ts'
import {
  checkConsistency,
  checkInclusion,
  emptyRoot,
  leafHash,
  nodeHash,
  proveConsistency,
  proveInclusion,
  type SubtreeReader,
  treeRoot,
} from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { eventData, eventLeafHashes, ReferenceTree } from './testing/reference-tree.ts'
import { proofOf2In7, rootOf7 } from './testing/vectors.ts'
import { consistencySubtrees, inclusionSubtrees } from './tree-shape.ts'

const { sha256 } = nodeCrypto
const leaves = eventLeafHashes(70_000)
const reference = new ReferenceTree(leaves)
const read: SubtreeReader = (level, index) => reference.root((index + 1) * 2 ** level, index * 2 ** level)
const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map(encodeHex)
const base64 = (hashes: readonly Uint8Array[]): string[] => hashes.map(encodeBase64)

testWithBoth('RFC 6962 hashes of the worked example', ({ sha256 }) => {
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.equal(encodeHex(emptyRoot(sha256)), empty)
  const leafOf = (i: number): string => encodeHex(leafHash(sha256, eventData(i)))
  const emptyLeaf = leafHash(sha256, new Uint8Array(0))
  assert.equal(encodeHex(emptyLeaf), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
  assert.equal(leafOf(0), '6734db3b19b64dc83703f9a1f4aee7697dfb292fb4e0827cc63f8a351b1b3609')
  assert.equal(leafOf(1), 'a9e8895f52faac9f644cd89d459e619f53f77b58e69f421918edc1646ef48494')
  assert.equal(leafOf(2), '4fb70daa0a6daaf7e93f2b37c5e5df73346630fd8a51996d50f1d8eeff279426')
  const zeros = new Uint8Array(32)
  const nodeOfZeros = nodeHash(sha256, zeros, zeros)
  assert.equal(encodeHex(nodeOfZeros), 'ae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577')
  const rootOf = (size: number): string => encodeHex(treeRoot(sha256, size, read))
  assert.equal(rootOf(0), empty)
  assert.equal(rootOf(1), leafOf(0))
  assert.equal(rootOf(2), '3fd1d5a059ab171a345f9912c83c2dd8b7933b4e950e6749bc83dbb1f43ccbde')
  assert.equal(rootOf(3), 'db2effe64d36352bcd4c260bde0e1138310c9f77b89d4c57578652f9b185b630')
  assert.equal(rootOf(4), '330157348b2985bd1c4657e44f3628ae9176dd82811ffb31a8e011b9dea8b9a1')
  assert.equal(rootOf(7), rootOf7)
})

testWithBoth('RFC 6962 leaves longer than one entry are hashed like short ones', ({ sha256 }) => {
  for (const length of [0, 1, 65_534, 65_535, 65_536, 200_000]) {
    const data = new Uint8Array(length).fill(7)
    const expected = nodeCrypto.sha256(concatBytes(Uint8Array.of(0), data))
    assert.equal(encodeHex(leafHash(sha256, data)), encodeHex(expected))
  }
})

testWithBoth('RFC 6962 proofs of the worked example', ({ sha256 }) => {
  assert.deepEqual(base64(proveInclusion(sha256, 2, 7, read)), proofOf2In7)
  const from3 = ['T7cNqgptqvfpPys3xeXfczRmMP2KUZltUPHY7v8nlCY=', ...proofOf2In7]
  assert.deepEqual(base64(proveConsistency(sha256, 3, 7, read)), from3)
  assert.deepEqual(base64(proveConsistency(sha256, 4, 7, read)), from3.slice(-1))
  const proof = proofOf2In7.map(line => decodeBase64(line)!)
  checkInclusion(sha256, { index: 2, size: 7, leafHash: leaves[2]!, proof, root: reference.root(7) })
  const [oldRoot, newRoot] = [reference.root(3), reference.root(7)]
  const consistency = from3.map(line => decodeBase64(line)!)
  checkConsistency(sha256, { oldSize: 3, newSize: 7, oldRoot, newRoot, proof: consistency })
})

test('P12 roots of all sizes to 600 and of random sizes to 70,000 equal the reference', () => {
  const sizes = Array.from({ length: 601 }, (_, size) => size)
  const random = fc.sample(fc.integer({ min: 601, max: 70_000 }), 40)
  for (const size of [...sizes, ...random, 65_535, 65_536, 65_537, 70_000]) {
    assert.equal(encodeHex(treeRoot(sha256, size, read)), encodeHex(reference.root(size)), `size ${size}`)
  }
})

test('P11 inclusion proofs of every leaf, index 0 included, equal the reference and hold', () => {
  for (let size = 1; size <= 600; size += size < 300 ? 1 : 11) {
    for (let index = 0; index < size; index++) inclusionRoundTrip(index, size)
  }
  const pair = fc
    .integer({ min: 1, max: 70_000 })
    .chain(size => fc.tuple(fc.nat(size - 1), fc.constant(size)))
  fc.assert(
    fc.property(pair, ([index, size]) => inclusionRoundTrip(index, size)),
    { numRuns: 500 },
  )
})

test('P8 consistency proofs between all sizes, 0 included, equal the reference and hold', () => {
  for (let newSize = 0; newSize <= 600; newSize += newSize < 300 ? 1 : 11) {
    for (let oldSize = 0; oldSize <= newSize; oldSize++) consistencyRoundTrip(oldSize, newSize)
  }
  const pair = fc.integer({ min: 0, max: 70_000 }).chain(size => fc.tuple(fc.nat(size), fc.constant(size)))
  fc.assert(
    fc.property(pair, ([oldSize, newSize]) => consistencyRoundTrip(oldSize, newSize)),
    { numRuns: 500 },
  )
})

function inclusionRoundTrip(index: number, size: number): void {
  const proof = proveInclusion(sha256, index, size, onlyListed(inclusionSubtrees(index, size)))
  assert.deepEqual(hex(proof), hex(reference.inclusionProof(index, size)), `leaf ${index} of ${size}`)
  checkInclusion(sha256, { index, size, leafHash: leaves[index]!, proof, root: reference.root(size) })
}

function consistencyRoundTrip(oldSize: number, newSize: number): void {
  const proof = proveConsistency(sha256, oldSize, newSize, onlyListed(consistencySubtrees(oldSize, newSize)))
  const expected = oldSize === 0 ? [] : reference.consistencyProof(oldSize, newSize)
  assert.deepEqual(hex(proof), hex(expected), `size ${oldSize} to ${newSize}`)
  const [oldRoot, newRoot] = [reference.root(oldSize), reference.root(newSize)]
  checkConsistency(sha256, { oldSize, newSize, oldRoot, newRoot, proof })
}

/** A reader that has nothing but what a client would have fetched in advance. */
function onlyListed(subtrees: readonly { level: number; index: number }[]): SubtreeReader {
  const listed = new Set(subtrees.map(({ level, index }) => `${level}/${index}`))
  return (level, index) => {
    assert.ok(listed.has(`${level}/${index}`), `subtree ${index} of level ${level} was not announced`)
    return read(level, index)
  }
}

/** The log whose leaves are all alike: its subtrees are known at every size that a number can express. */
const alike: Uint8Array[] = [leaves[0]!]
for (let level = 1; level <= 53; level++) alike.push(nodeHash(sha256, alike[level - 1]!, alike[level - 1]!))

test('P14 sizes up to 2^53 − 1 are exact, where 32-bit arithmetic is not', () => {
  const readAlike: SubtreeReader = level => alike[level]!
  const max = Number.MAX_SAFE_INTEGER
  const around = [31, 32, 33, 40, 52, 53].flatMap(power => [-1, 0, 1].map(step => 2 ** power + step))
  for (const size of [...around.filter(Number.isSafeInteger), max]) {
    const root = treeRoot(sha256, size, readAlike)
    for (const index of [0, 1, 2 ** 31, 2 ** 32, size - 2, size - 1].filter(index => index < size)) {
      const proof = proveInclusion(sha256, index, size, readAlike)
      assert.equal(proof.length, expectedLength(index, size))
      checkInclusion(sha256, { index, size, leafHash: leaves[0]!, proof, root })
    }
    for (const oldSize of [1, 2 ** 30 + 1, 2 ** 31 - 1, size - 1, size].filter(oldSize => oldSize <= size)) {
      const proof = proveConsistency(sha256, oldSize, size, readAlike)
      const oldRoot = treeRoot(sha256, oldSize, readAlike)
      checkConsistency(sha256, { oldSize, newSize: size, oldRoot, newRoot: root, proof })
    }
  }
})

test('RFC 6962 the length of a path follows from index and size alone', () => {
  const pair = fc.maxSafeNat().chain(n => fc.tuple(fc.bigInt(0n, BigInt(n)), fc.constant(n)))
  fc.assert(
    fc.property(pair, ([index, size]) => {
      if (size === 0 || Number(index) >= size) return
      const proof = proveInclusion(sha256, Number(index), size, level => alike[level]!)
      assert.equal(proof.length, expectedLength(Number(index), size))
    }),
  )
})

/**
 * By another road, in big integers: the digits below the highest one that tells the leaf from the last leaf,
 * plus the 1 digits of the index above it.
 */
function expectedLength(index: number, size: number): number {
  const differing = BigInt(index) ^ BigInt(size - 1)
  const inner = differing === 0n ? 0 : differing.toString(2).length
  const border = (BigInt(index) >> BigInt(inner)).toString(2).replaceAll('0', '').length
  return inner + border
}

test('P14 sizes and positions that are none are refused', () => {
  const bad = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
  const outOfRange = tlogError('size_out_of_range')
  for (const size of bad) {
    assert.throws(() => treeRoot(sha256, size, read), outOfRange)
    assert.throws(() => proveInclusion(sha256, 0, size, read), outOfRange)
    assert.throws(() => proveInclusion(sha256, size, 7, read), outOfRange)
    assert.throws(() => proveConsistency(sha256, size, 7, read), outOfRange)
    assert.throws(() => proveConsistency(sha256, 0, size, read), outOfRange)
    assert.throws(() => consistencySubtrees(1, size), outOfRange)
  }
  assert.throws(() => proveInclusion(sha256, 7, 7, read), outOfRange)
  assert.throws(() => proveInclusion(sha256, 0, 0, read), outOfRange)
  assert.throws(() => proveConsistency(sha256, 8, 7, read), outOfRange)
})

test('P17 hashes that are not 32 bytes are refused wherever they appear', () => {
  const short = new Uint8Array(16)
  const long = new Uint8Array(33)
  const [whole, root] = [leaves[0]!, reference.root(2)]
  for (const wrong of [short, long, new Uint8Array(0)]) {
    const malformed = tlogError('malformed_hash')
    assert.throws(() => nodeHash(sha256, wrong, whole), malformed)
    assert.throws(() => nodeHash(sha256, whole, wrong), malformed)
    assert.throws(() => treeRoot(sha256, 1, () => wrong), malformed)
    assert.throws(
      () => checkInclusion(sha256, { index: 0, size: 1, leafHash: wrong, proof: [], root: wrong }),
      malformed,
    )
    const proof = [wrong]
    assert.throws(
      () => checkInclusion(sha256, { index: 0, size: 2, leafHash: whole, proof, root }),
      tlogError('malformed_proof'),
    )
    const roots = { oldRoot: wrong, newRoot: wrong }
    assert.throws(() => checkConsistency(sha256, { oldSize: 3, newSize: 3, ...roots, proof: [] }), malformed)
  }
})
