import { once } from 'node:events'

/** Bytes that are collected before they are written. */
const fullBuffer = 64 * 1024

/** Standard output for lines: collects them, waits for a slow reader, and knows when there is none any more. */
export class LineOutput {
  readonly #stream: NodeJS.WriteStream
  readonly #gone = new AbortController()
  #waiting: (string | Buffer)[] = []
  #length = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.on('error', error => {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
      this.#gone.abort()
    })
  }

  /** Aborted when whoever read the pipe has closed it (`… | head`). */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Whether so much is waiting that {@link flush} is due. */
  get isFull(): boolean {
    return this.#length >= fullBuffer
  }

  /** Whether nothing is waiting. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Takes a piece, which is kept until the next {@link flush}. */
  add(piece: string | Buffer): void {
    this.#waiting.push(piece)
    this.#length += piece.length
  }

  /** Writes what was taken, and resolves when more can be written; when the reader is gone, to no effect. */
  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return
    const bytes = Buffer.concat(
      this.#waiting.map(piece => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
    )
    this.#waiting = []
    this.#length = 0
    if (this.#gone.signal.aborted || this.#stream.write(bytes)) return
    try {
      await once(this.#stream, 'drain', { signal: this.#gone.signal })
    } catch (error) {
      if (!this.#gone.signal.aborted) throw error
    }
  }
}
