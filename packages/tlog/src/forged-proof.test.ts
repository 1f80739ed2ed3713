// What must not be accepted: proofs that were changed, cut, shuffled or taken from elsewhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TlogErrorCode } from './errors.ts'
import {
  type ConsistencyClaim,
  checkConsistency,
  checkInclusion,
  emptyRoot,
  type InclusionClaim,
} from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { eventLeafHashes, ReferenceTree } from './testing/reference-tree.ts'

const reference = new ReferenceTree(eventLeafHashes(600))
const someHash = reference.root(599, 598)
const empty = emptyRoot(nodeCrypto.sha256)
const refusals: TlogErrorCode[] = ['proof_invalid', 'malformed_proof', 'malformed_hash', 'size_out_of_range']

type Forgery<Claim> = readonly [what: string, claim: Claim]

testWithBoth(
  'RFC 6962 no forged inclusion proof is accepted, for each leaf of each size to 40',
  ({ sha256 }) => {
    let count = 0
    for (let size = 1; size <= 40; size++) {
      for (let index = 0; index < size; index++) {
        const claim = inclusionClaim(index, size)
        checkInclusion(sha256, claim)
        for (const [what, forged] of inclusionForgeries(claim)) {
          count++
          assert.throws(
            () => checkInclusion(sha256, forged),
            tlogError(...refusals),
            `leaf ${index} of ${size}: ${what}`,
          )
        }
      }
    }
    assert.ok(count > 10_000)
  },
)

testWithBoth('RFC 6962 no forged consistency proof is accepted, between all sizes to 40', ({ sha256 }) => {
  let count = 0
  for (let newSize = 2; newSize <= 40; newSize++) {
    for (let oldSize = 1; oldSize < newSize; oldSize++) {
      const claim = consistencyClaim(oldSize, newSize)
      checkConsistency(sha256, claim)
      for (const [what, forged] of consistencyForgeries(claim)) {
        count++
        assert.throws(
          () => checkConsistency(sha256, forged),
          tlogError(...refusals),
          `${oldSize} to ${newSize}: ${what}`,
        )
      }
    }
  }
  assert.ok(count > 10_000)
})

testWithBoth(
  'F17 an empty inclusion path is accepted for the only leaf of a one-leaf tree, and for no other',
  ({ sha256 }) => {
    const leafHash = reference.leafHashes[0]!
    checkInclusion(sha256, { index: 0, size: 1, leafHash, proof: [], root: leafHash })
    for (const size of [2, 3, 7, 8, 600, Number.MAX_SAFE_INTEGER]) {
      for (const index of [0, 1, size - 1]) {
        const claim = { index, size, leafHash, proof: [], root: leafHash }
        assert.throws(() => checkInclusion(sha256, claim), tlogError('proof_invalid'))
      }
    }
    for (const [index, size] of [
      [0, 0],
      [1, 1],
      [1, 0],
    ] as const) {
      const claim = { index, size, leafHash, proof: [], root: leafHash }
      assert.throws(() => checkInclusion(sha256, claim), tlogError('size_out_of_range'))
    }
  },
)

testWithBoth('P8 everything extends the empty tree, with its root and an empty proof only', ({ sha256 }) => {
  const newRoot = reference.root(7)
  checkConsistency(sha256, { oldSize: 0, newSize: 0, oldRoot: empty, newRoot: empty, proof: [] })
  checkConsistency(sha256, { oldSize: 0, newSize: 7, oldRoot: empty, newRoot, proof: [] })
  const forged: Forgery<ConsistencyClaim>[] = [
    ['a proof where none belongs', { oldSize: 0, newSize: 7, oldRoot: empty, newRoot, proof: [someHash] }],
    ['another old root', { oldSize: 0, newSize: 7, oldRoot: someHash, newRoot, proof: [] }],
    ['another root of size 0', { oldSize: 0, newSize: 0, oldRoot: someHash, newRoot: someHash, proof: [] }],
    ['going back to 0', { oldSize: 7, newSize: 0, oldRoot: newRoot, newRoot: empty, proof: [] }],
  ]
  for (const [what, claim] of forged) {
    assert.throws(() => checkConsistency(sha256, claim), tlogError(...refusals), what)
  }
})

testWithBoth('P22 two roots of one size are never consistent', ({ sha256 }) => {
  const [oldRoot, newRoot] = [reference.root(7), someHash]
  checkConsistency(sha256, { oldSize: 7, newSize: 7, oldRoot, newRoot: oldRoot, proof: [] })
  const fork = { oldSize: 7, newSize: 7, oldRoot, newRoot, proof: [] }
  assert.throws(() => checkConsistency(sha256, fork), tlogError('proof_invalid'))
  const padded = { oldSize: 7, newSize: 7, oldRoot, newRoot: oldRoot, proof: [someHash] }
  assert.throws(() => checkConsistency(sha256, padded), tlogError('proof_invalid'))
})

test('RFC 6962 no single changed bit of an inclusion claim is accepted', () => {
  const position = fc
    .integer({ min: 1, max: 600 })
    .chain(size => fc.tuple(fc.nat(size - 1), fc.constant(size)))
  fc.assert(
    fc.property(position, fc.nat(), fc.nat(255), ([index, size], place, bit) => {
      const claim = inclusionClaim(index, size)
      const hashes = [claim.leafHash, claim.root, ...claim.proof]
      const [leafHash, root, ...proof] = withChangedBit(hashes, place % hashes.length, bit)
      const forged = { index, size, leafHash: leafHash!, root: root!, proof }
      assert.throws(() => checkInclusion(nodeCrypto.sha256, forged), tlogError('proof_invalid'))
    }),
    { numRuns: 2000 },
  )
})

test('RFC 6962 no single changed bit of a consistency claim is accepted', () => {
  const sizes = fc
    .integer({ min: 1, max: 600 })
    .chain(size => fc.tuple(fc.integer({ min: 1, max: size }), fc.constant(size)))
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(255), ([oldSize, newSize], place, bit) => {
      const claim = consistencyClaim(oldSize, newSize)
      const hashes = [claim.oldRoot, claim.newRoot, ...claim.proof]
      const [oldRoot, newRoot, ...proof] = withChangedBit(hashes, place % hashes.length, bit)
      const forged = { oldSize, newSize, oldRoot: oldRoot!, newRoot: newRoot!, proof }
      assert.throws(() => checkConsistency(nodeCrypto.sha256, forged), tlogError('proof_invalid'))
    }),
    { numRuns: 2000 },
  )
})

test('RFC 6962 a proof holds for its own position and for no other of the same tree', () => {
  const position = fc
    .integer({ min: 2, max: 600 })
    .chain(size => fc.tuple(fc.nat(size - 1), fc.nat(size - 1), fc.constant(size)))
  fc.assert(
    fc.property(position, ([index, other, size]) => {
      fc.pre(index !== other)
      const claim = { ...inclusionClaim(index, size), index: other }
      assert.throws(() => checkInclusion(nodeCrypto.sha256, claim), tlogError('proof_invalid'))
    }),
    { numRuns: 2000 },
  )
})

function inclusionClaim(index: number, size: number): InclusionClaim {
  const proof = reference.inclusionProof(index, size)
  return { index, size, leafHash: reference.leafHashes[index]!, proof, root: reference.root(size) }
}

function consistencyClaim(oldSize: number, newSize: number): ConsistencyClaim {
  const proof = reference.consistencyProof(oldSize, newSize)
  return { oldSize, newSize, oldRoot: reference.root(oldSize), newRoot: reference.root(newSize), proof }
}

/** The families of forgery that the conformance probes of transparency-dev/merkle name. */
function inclusionForgeries(claim: InclusionClaim): Forgery<InclusionClaim>[] {
  const { index, size, root, leafHash } = claim
  return [
    ['index − 1', { ...claim, index: index - 1 }],
    ['index + 1', { ...claim, index: index + 1 }],
    ['index XOR 2', { ...claim, index: index ^ 2 }],
    ['size × 2', { ...claim, size: size * 2 }],
    ['size ÷ 2', { ...claim, size: Math.floor(size / 2) }],
    ['size 0', { ...claim, size: 0 }],
    ['wrong leaf', { ...claim, leafHash: someHash }],
    ['leaf that is no hash', { ...claim, leafHash: new TextEncoder().encode('WrongLeaf') }],
    ['root of the empty tree', { ...claim, root: empty }],
    ['wrong root', { ...claim, root: someHash }],
    ['root cut in half', { ...claim, root: root.subarray(0, 16) }],
    ...proofForgeries(claim.proof, [root, leafHash]).map(
      ([what, proof]): Forgery<InclusionClaim> => [what, { ...claim, proof }],
    ),
  ]
}

function consistencyForgeries(claim: ConsistencyClaim): Forgery<ConsistencyClaim>[] {
  const { oldSize, newSize, oldRoot, newRoot } = claim
  return [
    ['old size − 1', { ...claim, oldSize: oldSize - 1 }],
    ['old size + 1', { ...claim, oldSize: oldSize + 1 }],
    ['old size XOR 2', { ...claim, oldSize: oldSize ^ 2 }],
    ['new size × 2', { ...claim, newSize: newSize * 2 }],
    ['new size ÷ 2', { ...claim, newSize: Math.floor(newSize / 2) }],
    ['sizes swapped', { ...claim, oldSize: newSize, newSize: oldSize }],
    ['roots swapped', { ...claim, oldRoot: newRoot, newRoot: oldRoot }],
    ['wrong old root', { ...claim, oldRoot: someHash }],
    ['wrong new root', { ...claim, newRoot: someHash }],
    ['old root that is no hash', { ...claim, oldRoot: new TextEncoder().encode('WrongRoot') }],
    ...proofForgeries(claim.proof, [oldRoot, newRoot]).map(
      ([what, proof]): Forgery<ConsistencyClaim> => [what, { ...claim, proof }],
    ),
  ]
}

function proofForgeries(
  proof: readonly Uint8Array[],
  near: readonly Uint8Array[],
): Forgery<readonly Uint8Array[]>[] {
  const forgeries: Forgery<readonly Uint8Array[]>[] = []
  for (const extra of [...near, someHash, new Uint8Array(0), ...proof.slice(0, 1)]) {
    forgeries.push(['one more in front', [extra, ...proof]], ['one more at the end', [...proof, extra]])
  }
  if (proof.length > 0) {
    forgeries.push(
      ['no proof', []],
      ['first one gone', proof.slice(1)],
      ['last one gone', proof.slice(0, -1)],
    )
    forgeries.push(['twice', [...proof, ...proof]])
  }
  for (const i of proof.keys()) {
    forgeries.push([`bit changed in ${i}`, withChangedBit(proof, i, 3)])
    forgeries.push([`${i} cut to 16 bytes`, proof.with(i, proof[i]!.subarray(0, 16))])
    forgeries.push([`${i} doubled`, proof.toSpliced(i, 0, proof[i]!)])
    if (i > 0)
      forgeries.push([
        `${i} swapped with the one before`,
        proof.toSpliced(i - 1, 2, proof[i]!, proof[i - 1]!),
      ])
  }
  return forgeries
}

function withChangedBit(hashes: readonly Uint8Array[], i: number, bit: number): Uint8Array[] {
  const changed = hashes[i]!.slice()
  changed[bit >> 3]! ^= 1 << (bit & 7)
  return hashes.with(i, changed)
}
