import { ProgressFile } from '../verification/index.ts'

/** The user stopped a verification whose progress is kept. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted'
}

/** `--resume`: reads and keeps the progress, and lets Ctrl-C end the verification between two steps. */
export class Resumption {
  readonly #name: string | undefined
  readonly #file: ProgressFile | undefined
  readonly #stop = new AbortController()
  readonly #onSignal = (): void => this.#interrupt()

  /** @param file of the option; undefined: nothing is kept, and Ctrl-C ends the process as always */
  constructor(file: string | undefined) {
    this.#name = file
    if (file === undefined) return
    this.#file = new ProgressFile(file)
    process.once('SIGINT', this.#onSignal)
  }

  /** What a verification takes: where to go on, where to write progress, and when to stop. */
  options<State extends object>(): {
    resume?: State
    save?: (state: () => State) => void
    signal?: AbortSignal
  } {
    const file = this.#file
    if (file === undefined) return {}
    const resume = file.read() as State | undefined
    return {
      ...(resume === undefined ? {} : { resume }),
      save: state => file.save(state),
      signal: this.#stop.signal,
    }
  }

  /** The verification came to its end: there is nothing to go on from. */
  done(): void {
    this.#file?.remove()
  }

  /** From now on Ctrl-C is nobody's business here. */
  end(): void {
    process.removeListener('SIGINT', this.#onSignal)
  }

  #interrupt(): void {
    const isKept = this.#file?.write() === true
    const what = isKept
      ? `The progress is in ${this.#name}: the same command goes on from there.`
      : 'Nothing was kept, because it had only begun or something was found.'
    this.#stop.abort(new Interrupted(`Stopped before the end, so there is no verdict. ${what}`))
  }
}
