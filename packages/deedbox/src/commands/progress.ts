import type { WriteStream } from 'node:tty'

/** A progress bar on one line of a terminal; silent where the output is not one. */
export class Progress {
  readonly #stream: WriteStream
  #shown = ''

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Draws the bar: how much of `total` is done, and of what. */
  show(what: string, done: number, total: number): void {
    if (!this.#stream.isTTY) return
    const width = 30
    const filled = total === 0 ? width : Math.round((done / total) * width)
    const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`
    this.#draw(`${bar} ${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${what}`)
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#shown !== '') this.#draw('')
  }

  #draw(text: string): void {
    if (text === this.#shown) return
    this.#shown = text
    this.#stream.write(`\r\u001b[2K${text}`)
  }
}
