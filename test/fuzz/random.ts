/** A source of chance that always tells the same story for the same seed (xoshiro128**). */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed a whole number; its lower 32 bits count. `name` sets tests of one seed apart. */
  constructor(seed: number, name: string) {
    let state = seed >>> 0
    for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x01000193) >>> 0
    // splitmix32, so that neighbouring seeds have nothing in common
    const next = () => {
      state = (state + 0x9e3779b9) >>> 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return (z ^ (z >>> 15)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /** 32 random bits. */
  bits(): number {
    const rotated = Math.imul(this.#b, 5)
    const result = Math.imul((rotated << 7) | (rotated >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** A whole number from 0 to below `end`; 0 when there is none. */
  below(end: number): number {
    return end <= 1 ? 0 : Math.floor((this.bits() / 2 ** 32) * end)
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)]
    if (picked === undefined && list.length === 0) throw new Error('There is nothing to pick from.')
    return picked as T
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}
