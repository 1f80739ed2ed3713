import { once } from 'node:events'

/** Standard output that waits for its reader, and knows when there is none any more (`… | head`). */
export class StandardOutput {
  readonly #stream: NodeJS.WriteStream
  readonly #gone = new AbortController()

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    stream.on('error', error => {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
      this.#gone.abort()
    })
  }

  /** Aborted when whoever read the pipe has closed it. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Resolves when more can be written; when the reader is gone, to no effect. */
  async write(piece: string | Uint8Array): Promise<void> {
    if (this.#gone.signal.aborted || this.#stream.write(piece)) return
    try {
      await once(this.#stream, 'drain', { signal: this.#gone.signal })
    } catch (error) {
      if (!this.#gone.signal.aborted) throw error
    }
  }
}
