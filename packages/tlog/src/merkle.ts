// The Merkle tree of RFC 6962 §2.1: how one 32-byte root speaks for a list of leaves of any length.
//
//   root of no leaves      SHA-256 of nothing
//   root of one leaf d     SHA-256(0x00 || d)
//   root of n > 1 leaves   SHA-256(0x01 || root of the first k || root of the rest),
//                          where k is the largest power of two below n
//
// The bytes 0x00 and 0x01 keep leaves and nodes apart: no leaf can pass itself off as a pair of hashes. A log
// stores the hashes of perfect subtrees, which never change, and folds the ragged right edge together when it
// is asked for (tree-shape.ts draws both).
//
// Who has a leaf and its siblings up to the root can compute the root, and cannot find other siblings that
// give the same root for another leaf without breaking SHA-256: that is an inclusion proof. Who folds the
// siblings of a seed twice, once with the left ones alone and once with all of them, computes an old root and
// a new one from the same hashes: that is a consistency proof, and it shows that the new tree starts with the
// very leaves of the old one.
//
// Proving and checking mirror each other: the same path, on which the prover looks each sibling up and the
// checker takes it from the proof.

import type { Sha256 } from './crypto.ts'
import { bytesEqual } from './encoding.ts'
import { TlogError } from './errors.ts'
import {
  consistencyPath,
  consistencyRanges,
  inclusionPath,
  perfectSubtrees,
  type Range,
  requireSize,
  requireSizes,
} from './tree-shape.ts'

/**
 * The length of every hash, in bytes. Shorter ones are refused everywhere: half the length is half the work
 * to forge.
 */
export const hashSize = 32

/**
 * Looks up the 32-byte hash of a perfect subtree. It is only asked for subtrees that lie within the tree at
 * hand, and throws (`missing_tile`, for instance) when it does not have one; it never invents a hash.
 */
export type SubtreeReader = (level: number, index: number) => Uint8Array

/**
 * What {@link checkInclusion} checks: that the leaf at `index` of the tree with `size` leaves and this root
 * is this leaf.
 */
export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  /** The sibling of the leaf first. */
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** What {@link checkConsistency} checks: that the new tree starts with the leaves of the old one. */
export interface ConsistencyClaim {
  readonly oldSize: number
  readonly newSize: number
  readonly oldRoot: Uint8Array
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** The root of a tree without leaves. */
export function emptyRoot(sha256: Sha256): Uint8Array {
  return sha256(new Uint8Array(0))
}

// The inputs of leaf and node hashes are put together in two buffers that are used again and again: `Sha256`
// promises not to keep them, and a new buffer for each would cost more than the hash.
const leafInput = new Uint8Array(1 + 65_535)
const nodeInput = new Uint8Array(1 + 2 * hashSize)
nodeInput[0] = 0x01

/** The hash of one leaf: SHA-256(0x00 || data). */
export function leafHash(sha256: Sha256, data: Uint8Array): Uint8Array {
  const length = 1 + data.length
  const input = length <= leafInput.length ? leafInput.subarray(0, length) : new Uint8Array(length)
  input.set(data, 1)
  return sha256(input)
}

/**
 * The hash of an inner node: SHA-256(0x01 || left || right).
 * @throws TlogError `malformed_hash` when one side is not 32 bytes.
 */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  requireHash(left, 'The left half of a node')
  requireHash(right, 'The right half of a node')
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashSize)
  return sha256(nodeInput)
}

/**
 * The root of the tree over the first `size` leaves.
 * @throws TlogError `size_out_of_range`, and whatever `read` throws.
 */
export function treeRoot(sha256: Sha256, size: number, read: SubtreeReader): Uint8Array {
  requireSize(size, 'The tree size')
  return size === 0 ? emptyRoot(sha256) : rangeRoot(sha256, { start: 0, end: size }, read)
}

/**
 * The inclusion proof (RFC 6962 §2.1.1) of the leaf at `index` in the tree over the first `size` leaves, the
 * sibling of the leaf first. Empty exactly for the only leaf of a one-leaf tree.
 * @throws TlogError `size_out_of_range` unless 0 ≤ index < size ≤ 2^53 − 1, and whatever `read` throws.
 */
export function proveInclusion(
  sha256: Sha256,
  index: number,
  size: number,
  read: SubtreeReader,
): Uint8Array[] {
  return inclusionPath(index, size).map(sibling => rangeRoot(sha256, sibling, read))
}

/**
 * Checks an inclusion proof; returns nothing when it holds.
 *
 * The size belongs to the root: take both from the same verified checkpoint. (A proof alone does not pin the
 * size: neighbouring sizes can give a leaf a path of the same shape.)
 * @throws TlogError `proof_invalid` when it does not hold, `size_out_of_range` unless 0 ≤ index < size ≤ 2^53
 * − 1, `malformed_hash` or `malformed_proof` for anything that is not 32 bytes.
 */
export function checkInclusion(sha256: Sha256, claim: InclusionClaim): void {
  const { index, size, proof } = claim
  const path = inclusionPath(index, size)
  requireHash(claim.leafHash, 'The leaf hash')
  requireHash(claim.root, 'The root')
  requireProof(proof, path.length, `leaf ${index} of ${size}`)
  let hash = claim.leafHash
  for (const [i, { side }] of path.entries()) {
    const sibling = proof[i]!
    hash = side === 'left' ? nodeHash(sha256, sibling, hash) : nodeHash(sha256, hash, sibling)
  }
  if (!bytesEqual(hash, claim.root)) {
    throw new TlogError('proof_invalid', `The proof for leaf ${index} of ${size} leads to another root.`)
  }
}

/**
 * The consistency proof (RFC 6962 §2.1.2) from the tree of `oldSize` leaves to the tree of `newSize`. Empty
 * when the sizes are equal, and for an old size of 0, which everything extends.
 * @throws TlogError `size_out_of_range` unless 0 ≤ oldSize ≤ newSize ≤ 2^53 − 1, and whatever `read` throws.
 */
export function proveConsistency(
  sha256: Sha256,
  oldSize: number,
  newSize: number,
  read: SubtreeReader,
): Uint8Array[] {
  requireSizes(oldSize, newSize)
  if (oldSize === 0 || oldSize === newSize) return []
  return consistencyRanges(oldSize, newSize).map(range => rangeRoot(sha256, range, read))
}

/**
 * Checks a consistency proof; returns nothing when it holds.
 *
 * An old size of 0 demands the root of the empty tree and an empty proof. It says nothing about the new root.
 * @throws TlogError `proof_invalid` when it does not hold, `size_out_of_range` unless
 * 0 ≤ oldSize ≤ newSize ≤ 2^53 − 1, `malformed_hash` or `malformed_proof` for anything that is not 32 bytes.
 */
export function checkConsistency(sha256: Sha256, claim: ConsistencyClaim): void {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim
  requireSizes(oldSize, newSize)
  requireHash(oldRoot, 'The old root')
  requireHash(newRoot, 'The new root')
  if (oldSize === 0 && !bytesEqual(oldRoot, emptyRoot(sha256))) {
    throw new TlogError('proof_invalid', 'The root given for size 0 is not the root of the empty tree.')
  }
  const about = `size ${oldSize} to ${newSize}`
  if (oldSize === 0 || oldSize === newSize) {
    requireProof(proof, 0, about)
    if (oldSize === newSize && !bytesEqual(oldRoot, newRoot)) {
      throw new TlogError('proof_invalid', `Two different roots claim the same size, ${newSize}.`)
    }
    return
  }
  const { seed, siblings } = consistencyPath(oldSize, newSize)
  const isSeedOmitted = seed.start === 0
  const offset = isSeedOmitted ? 0 : 1
  requireProof(proof, offset + siblings.length, about)
  let oldHash = isSeedOmitted ? oldRoot : proof[0]!
  let newHash = oldHash
  for (const [i, { side }] of siblings.entries()) {
    const sibling = proof[offset + i]!
    if (side === 'left') {
      oldHash = nodeHash(sha256, sibling, oldHash)
      newHash = nodeHash(sha256, sibling, newHash)
    } else {
      newHash = nodeHash(sha256, newHash, sibling)
    }
  }
  if (!bytesEqual(oldHash, oldRoot)) {
    throw new TlogError('proof_invalid', `The proof from ${about} does not lead to the old root.`)
  }
  if (!bytesEqual(newHash, newRoot)) {
    throw new TlogError('proof_invalid', `The proof from ${about} does not lead to the new root.`)
  }
}

/** The root of a node: its perfect subtrees, folded from the right. */
function rangeRoot(sha256: Sha256, range: Range, read: SubtreeReader): Uint8Array {
  return perfectSubtrees(range)
    .map(({ level, index }) => requireHash(read(level, index), `Subtree ${index} of level ${level}`))
    .reduceRight((right, left) => nodeHash(sha256, left, right))
}

function requireHash(hash: Uint8Array, what: string): Uint8Array {
  if (hash.length !== hashSize) {
    throw new TlogError('malformed_hash', `${what} must be ${hashSize} bytes, not ${hash.length}.`)
  }
  return hash
}

function requireProof(proof: readonly Uint8Array[], length: number, about: string): void {
  if (proof.length !== length) {
    throw new TlogError(
      'proof_invalid',
      `A proof for ${about} has exactly ${length} hashes; this one has ${proof.length}.`,
    )
  }
  for (const [i, hash] of proof.entries()) {
    if (hash.length !== hashSize) {
      throw new TlogError(
        'malformed_proof',
        `Hash ${i} of the proof for ${about} must be ${hashSize} bytes, not ${hash.length}.`,
      )
    }
  }
}
