/** Bytes of the buffer that is used again and again; what is longer gets one of its own. */
const ordinarySize = 262_144

/** The bytes that a character of a JavaScript text takes in UTF-8, at most. */
const bytesPerCharacter = 3

/**
 * Turns texts into bytes in one buffer. A buffer for each text was measured to cost as much as the system call that
 * writes it.
 */
export class TextBytes {
  #buffer: Buffer | undefined

  /** The text in UTF-8; the bytes are valid until the next call. */
  encode(text: string): Buffer {
    const most = text.length * bytesPerCharacter
    if (most > ordinarySize) return Buffer.from(text)
    this.#buffer ??= Buffer.allocUnsafeSlow(ordinarySize)
    return this.#buffer.subarray(0, this.#buffer.write(text))
  }
}

/** How many lines end in these bytes. */
export function lineCount(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++
  return count
}
