import { lengthOf } from './log-files.ts'
import { Progress } from './progress.ts'

/** Files that are read within a moment need no bar. */
const leastShown = 32 * 1024 * 1024

/** Milliseconds between two pictures of the bar. */
const pause = 100

/** A bar on standard error for reading much, in megabytes. */
export class ByteProgress {
  readonly #bar = new Progress(process.stderr)
  #total = 0
  #done = 0
  #shownAt = 0

  /** Looks how much there is to read. */
  async expect(files: readonly string[]): Promise<void> {
    for (const file of files) this.#total += await lengthOf(file)
  }

  /** Counts bytes that were read. */
  add(count: number): void {
    this.#done += count
    const now = performance.now()
    if (this.#total < leastShown || now - this.#shownAt < pause) return
    this.#shownAt = now
    this.#bar.show('MB', megabytes(Math.min(this.#done, this.#total)), megabytes(this.#total))
  }

  /** Takes the bar away; to be called before anything else is printed. */
  clear(): void {
    this.#bar.clear()
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6)
}
