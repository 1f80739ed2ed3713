// The verification algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, word by word, as a second opinion. The package walks
// the tree from its shape; these shift bits. They share no code.

import { createHash } from 'node:crypto'

/** Whether the proof holds, by RFC 9162 §2.1.3.2. */
export function inclusionHolds(
  index: number,
  size: number,
  leafHash: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false
  if (![leafHash, root, ...proof].every(isHash)) return false
  let fn = BigInt(index)
  let sn = BigInt(size) - 1n
  let r = leafHash
  for (const p of proof) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      r = node(p, r)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      r = node(r, p)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n && Buffer.compare(r, root) === 0
}

/** Whether the proof holds, by RFC 9162 §2.1.4.2; sizes that are equal or 0 as C2SP tlog-witness has them. */
export function consistencyHolds(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false
  if (![oldRoot, newRoot, ...proof].every(isHash)) return false
  const isEmpty = (root: Uint8Array) => Buffer.compare(root, createHash('sha256').digest()) === 0
  if (oldSize === 0) return proof.length === 0 && isEmpty(oldRoot) && (newSize > 0 || isEmpty(newRoot))
  if (oldSize === newSize) return proof.length === 0 && Buffer.compare(oldRoot, newRoot) === 0
  const isPowerOfTwo = (BigInt(oldSize) & (BigInt(oldSize) - 1n)) === 0n
  const path = isPowerOfTwo ? [oldRoot, ...proof] : proof
  const [seed, ...rest] = path
  if (seed === undefined || proof.length === 0) return false
  let fn = BigInt(oldSize) - 1n
  let sn = BigInt(newSize) - 1n
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let fr = seed
  let sr = seed
  for (const c of rest) {
    if (sn === 0n) return false
    if ((fn & 1n) === 1n || fn === sn) {
      fr = node(c, fr)
      sr = node(c, sr)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else {
      sr = node(sr, c)
    }
    fn >>= 1n
    sn >>= 1n
  }
  return sn === 0n && Buffer.compare(fr, oldRoot) === 0 && Buffer.compare(sr, newRoot) === 0
}

function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest())
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === 32
}
