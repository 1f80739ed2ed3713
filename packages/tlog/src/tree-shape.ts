// The shape of a Merkle tree, from positions alone: which nodes it has, and which of them a proof names.
//
// A tree of n > 1 leaves (RFC 6962 §2.1) splits into the first k leaves and the rest, k being the largest
// power of two below n. A node is the half-open range of leaves under it. The tree of 7 leaves:
//
//            [0,7)
//          ┌───┴─────────┐
//        [0,4)         [4,7)
//       ┌──┴──┐       ┌──┴──┐
//     [0,2) [2,4)   [4,6) [6,7)
//      0 1   2 3     4 5    6
//
// Because splits lie at powers of two, whatever is left of a split is a perfect subtree, and a perfect
// subtree never changes again however many leaves follow. Only the nodes on the right edge are ragged, such
// as [4,7), and each of them is a row of ever smaller perfect subtrees: [4,6) and [6,7).
//
// An inclusion proof names the siblings on the way from a leaf to the root: for leaf 2 they are [3,4) on the
// right, [0,2) on the left, [4,7) on the right.
//
// A consistency proof from m to n leaves names the largest node of the new tree that ends exactly at m,
// called the seed here, and the siblings on the way from there to the root: from 3 to 7 that is [2,3); [3,4),
// [0,2), [4,7). The siblings on the left were part of the old tree too, those on the right hold new leaves
// only. When m is a power of two the seed is the whole old tree.
//
// The prover and the checker in merkle.ts both walk the paths computed here. Nothing in a proof chooses its
// own shape.

import { TlogError } from './errors.ts'

/** The perfect subtree over the leaves `[index · 2^level, (index + 1) · 2^level)`. */
export interface Subtree {
  readonly level: number
  readonly index: number
}

/** A node of a tree: the leaves `[start, end)`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A node beside a path, and the side on which it stands. */
export interface Sibling extends Range {
  readonly side: 'left' | 'right'
}

/** The siblings of a leaf on its way to the root, its own sibling first. */
export function inclusionPath(index: number, size: number): Sibling[] {
  requireSize(size, 'The tree size')
  requireSize(index, 'The leaf index')
  if (index >= size) {
    throw new TlogError('size_out_of_range', `Leaf ${index} does not exist in a tree of ${size} leaves.`)
  }
  const path: Sibling[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const split = start + splitPoint(end - start)
    if (index < split) {
      path.push({ start: split, end, side: 'right' })
      end = split
    } else {
      path.push({ start, end: split, side: 'left' })
      start = split
    }
  }
  return path.reverse()
}

/**
 * For 0 < oldSize < newSize: the largest node that ends at `oldSize`, and its siblings on the way to the
 * root.
 */
export function consistencyPath(oldSize: number, newSize: number): { seed: Range; siblings: Sibling[] } {
  const siblings: Sibling[] = []
  let start = 0
  let end = newSize
  while (end !== oldSize) {
    const split = start + splitPoint(end - start)
    if (oldSize <= split) {
      siblings.push({ start: split, end, side: 'right' })
      end = split
    } else {
      siblings.push({ start, end: split, side: 'left' })
      start = split
    }
  }
  return { seed: { start, end }, siblings: siblings.reverse() }
}

/** The nodes of a consistency proof in order. The seed is left out when it is the whole old tree. */
export function consistencyRanges(oldSize: number, newSize: number): Range[] {
  const { seed, siblings } = consistencyPath(oldSize, newSize)
  return seed.start === 0 ? siblings : [seed, ...siblings]
}

/** The perfect subtrees that make up a node, from left to right and ever smaller. */
export function perfectSubtrees({ start, end }: Range): Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = start; at < end; ) {
    const level = bitLength(end - at) - 1
    subtrees.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return subtrees
}

/**
 * The perfect subtrees that {@link proveInclusion} will read, in its order, so that a client whose storage is
 * asynchronous can fetch them first.
 * @throws TlogError `size_out_of_range` unless 0 ≤ index < size ≤ 2^53 − 1.
 */
export function inclusionSubtrees(index: number, size: number): Subtree[] {
  return inclusionPath(index, size).flatMap(perfectSubtrees)
}

/**
 * The perfect subtrees that {@link proveConsistency} will read, in its order.
 * @throws TlogError `size_out_of_range` unless 0 ≤ oldSize ≤ newSize ≤ 2^53 − 1.
 */
export function consistencySubtrees(oldSize: number, newSize: number): Subtree[] {
  requireSizes(oldSize, newSize)
  if (oldSize === 0 || oldSize === newSize) return []
  return consistencyRanges(oldSize, newSize).flatMap(perfectSubtrees)
}

export function requireSize(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TlogError(
      'size_out_of_range',
      `${what} must be a whole number from 0 to 2^53 − 1, not ${value}.`,
    )
  }
}

export function requireSizes(oldSize: number, newSize: number): void {
  requireSize(oldSize, 'The old size')
  requireSize(newSize, 'The new size')
  if (oldSize > newSize) {
    throw new TlogError(
      'size_out_of_range',
      `A tree of ${newSize} leaves cannot extend one of ${oldSize} leaves.`,
    )
  }
}

/** The largest power of two below `size`, which is at least 2. */
function splitPoint(size: number): number {
  return 2 ** (bitLength(size - 1) - 1)
}

/**
 * How many binary digits a number from 1 to 2^53 − 1 has. `Math.clz32` alone would look at 32 of them only.
 */
function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 2 ** 32)
}
