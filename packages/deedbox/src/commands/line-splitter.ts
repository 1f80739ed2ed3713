/** A line of more bytes than this is passed on in pieces, so that a file without line breaks fills no memory. */
const longestLine = 8 * 1024 * 1024

/** Cuts what is read in pieces into lines, without their line breaks. */
export class LineSplitter {
  #rest: Buffer[] = []
  #restLength = 0

  /** The lines that this piece ends. */
  push(piece: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      lines.push(this.#withRest(piece.subarray(start, end)))
      start = end + 1
    }
    if (start < piece.length) {
      this.#rest.push(piece.subarray(start))
      this.#restLength += piece.length - start
      if (this.#restLength > longestLine) lines.push(...this.end())
    }
    return lines
  }

  /** What stands after the last line break, as a line. */
  end(): Buffer[] {
    return this.#restLength === 0 ? [] : [this.#withRest(Buffer.alloc(0))]
  }

  #withRest(bytes: Buffer): Buffer {
    if (this.#restLength === 0) return bytes
    const whole = Buffer.concat([...this.#rest, bytes])
    this.#rest = []
    this.#restLength = 0
    return whole
  }
}
