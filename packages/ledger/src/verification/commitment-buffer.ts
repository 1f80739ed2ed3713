import { hash } from 'node:crypto'
import { commitmentInput, type Part, parts, saltLength } from '@deedbox/tlog'

/** The characters of a `tx_id` as this ledger makes them. */
export const txIdLength = 27

/**
 * Computes commitments without making anything anew for each: the input of a part's hash differs from one event to the
 * next in salt, id and content alone, and is written over the last one. A test holds it against `commitmentInput`.
 */
export class CommitmentBuffer {
  readonly #inputs: Record<Part, Buffer>
  readonly #saltAt: number
  readonly #idAt: number
  readonly #contentAt: Record<Part, number>

  /** @param origin of the ledger; no newline */
  constructor(origin: string) {
    const salt = new Uint8Array(saltLength)
    const inputOf = (part: Part) =>
      Buffer.from(commitmentInput(salt, origin, '_'.repeat(txIdLength), part, new Uint8Array()))
    this.#inputs = Object.fromEntries(parts.map(part => [part, inputOf(part)])) as Record<Part, Buffer>
    this.#contentAt = Object.fromEntries(parts.map(part => [part, this.#inputs[part].length])) as Record<
      Part,
      number
    >
    this.#saltAt = this.#inputs.core.indexOf(salt)
    this.#idAt = this.#saltAt + saltLength + Buffer.byteLength(origin) + 1
  }

  /**
   * The commitment to a part, base64url.
   *
   * @param bytes hold the id at `idAt`, and at `saltAt` 32 bytes of salt and `length` of content
   */
  commit(part: Part, bytes: Buffer, idAt: number, saltAt: number, length: number): string {
    let input = this.#inputs[part]
    const contentAt = this.#contentAt[part]
    if (contentAt + length > input.length) {
      const longer = Buffer.alloc((contentAt + length) * 2)
      input.copy(longer, 0, 0, contentAt)
      this.#inputs[part] = longer
      input = longer
    }
    bytes.copy(input, this.#saltAt, saltAt, saltAt + saltLength)
    bytes.copy(input, this.#idAt, idAt, idAt + txIdLength)
    bytes.copy(input, contentAt, saltAt + saltLength, saltAt + saltLength + length)
    return hash('sha256', input.subarray(0, contentAt + length), 'base64url')
  }
}
