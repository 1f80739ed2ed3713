// A second implementation of RFC 6962 §2.1, to compare with: the recursive definitions of the text, written
// down as they stand, over an array of leaf hashes. It shares no code with the package, and it is slow.

import { createHash } from 'node:crypto'

export class ReferenceTree {
  readonly leafHashes: readonly Uint8Array[]
  readonly #known = new Map<number, Uint8Array>()

  constructor(leafHashes: readonly Uint8Array[]) {
    this.leafHashes = leafHashes
  }

  /** MTH(D[start:end]); remembered, because the tests ask for the same ranges millions of times. */
  root(end: number, start = 0): Uint8Array {
    const n = end - start
    if (n === 0) return sha256()
    if (n === 1) return this.leafHashes[start]!
    const key = start * 2 ** 20 + end
    let root = this.#known.get(key)
    if (root === undefined) {
      const k = largestPowerBelow(n)
      root = sha256(Uint8Array.of(1), this.root(start + k, start), this.root(end, start + k))
      this.#known.set(key, root)
    }
    return root
  }

  /** PATH(m, D[n]). */
  inclusionProof(m: number, n: number): Uint8Array[] {
    return this.#path(m, 0, n)
  }

  #path(m: number, start: number, n: number): Uint8Array[] {
    if (n === 1) return []
    const k = largestPowerBelow(n)
    return m < k
      ? [...this.#path(m, start, k), this.root(start + n, start + k)]
      : [...this.#path(m - k, start + k, n - k), this.root(start + k, start)]
  }

  /** PROOF(m, D[n]), for 0 < m. */
  consistencyProof(m: number, n: number): Uint8Array[] {
    return this.#subproof(m, 0, n, true)
  }

  #subproof(m: number, start: number, n: number, isWhole: boolean): Uint8Array[] {
    if (m === n) return isWhole ? [] : [this.root(start + n, start)]
    const k = largestPowerBelow(n)
    return m <= k
      ? [...this.#subproof(m, start, k, isWhole), this.root(start + n, start + k)]
      : [...this.#subproof(m - k, start + k, n - k, false), this.root(start + k, start)]
  }
}

/** The leaf hashes of "event-0", "event-1", …, the log of all worked vectors. */
export function eventLeafHashes(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(0), eventData(i)))
}

/** The bytes of "event-<i>". */
export function eventData(i: number): Uint8Array {
  return new TextEncoder().encode(`event-${i}`)
}

function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

function largestPowerBelow(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}
