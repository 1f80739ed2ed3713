// Merkle proofs that were changed, shown to the package and to a second implementation of their verification.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsistencyClaim,
  checkConsistency,
  checkInclusion,
  type InclusionClaim,
  TlogError,
  type TlogErrorCode,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { fuzz } from './fuzz.ts'
import type { Random } from './random.ts'
import { consistencyHolds, inclusionHolds } from './rfc9162.ts'
import { tree } from './tlog-samples.ts'

const { sha256 } = nodeCrypto
const refusals: TlogErrorCode[] = ['proof_invalid', 'malformed_proof', 'malformed_hash', 'size_out_of_range']

/** Where sizes and positions are at an edge: of the tree, of powers of two, of 32 bits, of exactness, of numbers. */
const edges: readonly number[] = [
  ...[
    -1,
    -0,
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    255,
    256,
    257,
    511,
    512,
    599,
    600,
    601,
    0.5,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
  ],
  ...[2 ** 40, 2 ** 52, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53, 2 ** 64, Number.NaN, Number.POSITIVE_INFINITY],
]

function changedNumber(random: Random, value: number): number {
  const near = [value - 1, value + 1, value * 2, Math.floor(value / 2), value ^ (1 << random.below(10))]
  return random.once(2) ? random.pick(near) : random.pick(edges)
}

function changedHash(random: Random, hash: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return random.pick(others)
    case 1:
      return hash.subarray(0, random.below(33))
    case 2:
      return Uint8Array.from([...hash, ...random.bytes(1 + random.below(32))])
    case 3:
      return random.pick([new Uint8Array(32), new Uint8Array(0), tree.root(0), random.bytes(32)])
    default: {
      const at = random.below(hash.length)
      return hash.length === 0 ? hash : hash.with(at, hash[at]! ^ (1 << random.below(8)))
    }
  }
}

function changedProof(
  random: Random,
  proof: readonly Uint8Array[],
  others: readonly Uint8Array[],
): readonly Uint8Array[] {
  const at = random.below(proof.length)
  switch (random.below(8)) {
    case 0:
      return []
    case 1:
      return proof.toSpliced(at, 1)
    case 2:
      return proof.toSpliced(random.below(proof.length + 1), 0, random.pick(others))
    case 3:
      return [...proof, ...proof]
    case 4:
      return proof.toReversed()
    case 5: {
      const to = random.below(proof.length)
      return proof.length === 0 ? proof : proof.with(at, proof[to]!).with(to, proof[at]!)
    }
    default:
      return proof.length === 0
        ? [random.pick(others)]
        : proof.with(at, changedHash(random, proof[at]!, others))
  }
}

/** Whether it was accepted; anything but a refusal of the documented kind goes on. */
function accepted(check: () => void): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof TlogError && refusals.includes(error.code)) return false
    throw error
  }
}

/** Whether the tree really had this root at this size. */
function isRootOf(size: number, root: Uint8Array): boolean {
  return size <= 600 && Buffer.compare(root, tree.root(size)) === 0
}

test('F17 P8 P14 no mutated inclusion proof is accepted, and RFC 9162 agrees about each', () => {
  fuzz('inclusion', 8_000, (random, note) => {
    const size = 1 + random.below(random.pick([2, 9, 70, 600]))
    const index = random.below(size)
    const genuine: InclusionClaim = {
      index,
      size,
      leafHash: tree.leafHashes[index]!,
      proof: tree.inclusionProof(index, size),
      root: tree.root(size),
    }
    const others = [
      genuine.leafHash,
      genuine.root,
      ...genuine.proof,
      tree.root(size + 1 > 600 ? 1 : size + 1),
    ]
    let claim = genuine
    for (let i = random.below(3); i >= 0; i--) {
      const change = random.pick(['index', 'size', 'leafHash', 'root', 'proof', 'proof'] as const)
      if (change === 'index' || change === 'size') {
        claim = { ...claim, [change]: changedNumber(random, claim[change]) }
      } else if (change === 'proof') claim = { ...claim, proof: changedProof(random, claim.proof, others) }
      else claim = { ...claim, [change]: changedHash(random, claim[change], others) }
    }
    note(claim)
    const isAccepted = accepted(() => checkInclusion(sha256, claim))
    assert.equal(
      isAccepted,
      inclusionHolds(claim.index, claim.size, claim.leafHash, claim.proof, claim.root),
      'the package and RFC 9162 §2.1.3.2 disagree',
    )
    // Another size can give a leaf a path of the same shape, so size and root have to come from one checkpoint. With
    // the size that belongs to the root, only the truth is accepted.
    if (!isAccepted || !isRootOf(claim.size, claim.root)) return
    assert.deepEqual(claim.leafHash, tree.leafHashes[claim.index])
    assert.deepEqual(claim.proof, tree.inclusionProof(claim.index, claim.size))
  })
})

test('F17 P8 P14 P22 no mutated consistency proof is accepted, and RFC 9162 agrees about each', () => {
  fuzz('consistency', 8_000, (random, note) => {
    const newSize = random.below(random.pick([2, 9, 70, 601]))
    const oldSize = random.below(newSize + 1)
    const genuine: ConsistencyClaim = {
      oldSize,
      newSize,
      oldRoot: tree.root(oldSize),
      newRoot: tree.root(newSize),
      proof: oldSize === 0 ? [] : tree.consistencyProof(oldSize, newSize),
    }
    const others = [genuine.oldRoot, genuine.newRoot, ...genuine.proof, tree.root(600), tree.root(1)]
    let claim = genuine
    for (let i = random.below(3); i >= 0; i--) {
      const change = random.pick([
        'oldSize',
        'newSize',
        'oldRoot',
        'newRoot',
        'proof',
        'proof',
        'swap',
      ] as const)
      if (change === 'swap') {
        const { oldSize, newSize, oldRoot, newRoot } = claim
        claim = { ...claim, oldSize: newSize, newSize: oldSize, oldRoot: newRoot, newRoot: oldRoot }
      } else if (change === 'proof') claim = { ...claim, proof: changedProof(random, claim.proof, others) }
      else if (change === 'oldSize' || change === 'newSize') {
        claim = { ...claim, [change]: changedNumber(random, claim[change]) }
      } else claim = { ...claim, [change]: changedHash(random, claim[change], others) }
    }
    note(claim)
    const isAccepted = accepted(() => checkConsistency(sha256, claim))
    assert.equal(
      isAccepted,
      consistencyHolds(claim.oldSize, claim.newSize, claim.oldRoot, claim.newRoot, claim.proof),
      'the package and RFC 9162 §2.1.4.2 disagree',
    )
    // Everything extends the empty tree, so a new root is free then; in all other cases both roots are pinned.
    if (!isAccepted || claim.oldSize === 0) return
    if (!isRootOf(claim.newSize, claim.newRoot)) return
    assert.ok(isRootOf(claim.oldSize, claim.oldRoot), 'an old root was accepted that the tree never had')
    assert.deepEqual(
      claim.proof,
      claim.oldSize === claim.newSize ? [] : tree.consistencyProof(claim.oldSize, claim.newSize),
    )
  })
})
