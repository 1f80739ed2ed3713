import { hash } from 'node:crypto'

/** A {@link KeySum} as plain data. */
export interface KeySumState {
  count: number
  /** Four 32-bit integers. */
  words: number[]
}

/**
 * Says whether two sets of rows are the same without sorting or keeping either: the number of rows and the XOR of a
 * 128-bit hash of each. The hash has a secret of this verification in it, so nobody can have chosen rows that cancel
 * each other out.
 */
export class KeySum {
  readonly #secret: string
  readonly #words = new Int32Array(4)
  #count = 0

  /** @param secret random, the same for all sums that are compared or added */
  constructor(secret: string) {
    this.#secret = secret
  }

  /** Adds a use of an idempotency key: its hash in base64url, the event, and the first event under it. */
  add(key: string, index: number, first: number): void {
    const digest = hash('sha256', `${this.#secret}\n${key}\n${index}\n${first}`, 'hex')
    for (let i = 0; i < 4; i++) this.#words[i]! ^= Number.parseInt(digest.slice(i * 8, i * 8 + 8), 16)
    this.#count++
  }

  /** Adds all rows of another sum. */
  merge({ count, words }: KeySumState): void {
    for (let i = 0; i < 4; i++) this.#words[i]! ^= words[i] ?? 0
    this.#count += count
  }

  equals({ count, words }: KeySumState): boolean {
    return this.#count === count && this.#words.every((word, i) => word === words[i])
  }

  get state(): KeySumState {
    return { count: this.#count, words: [...this.#words] }
  }
}
