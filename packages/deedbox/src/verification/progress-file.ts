import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { StateMisfit } from './log-state.ts'

/** At least this long between two writings, in milliseconds: a state is small, but writing it is not free. */
const interval = 1_000

/** The file in which a verification writes down how far it has come, for `--resume`. */
export class ProgressFile {
  readonly #file: string
  #writtenAt = 0
  #newest: (() => object) | undefined

  constructor(file: string) {
    this.#file = file
  }

  /**
   * What an earlier run wrote; undefined when there is no such file.
   *
   * @throws StateMisfit when it holds something else
   */
  read(): object | undefined {
    if (!existsSync(this.#file)) return undefined
    try {
      const state: unknown = JSON.parse(readFileSync(this.#file, 'utf8'))
      if (typeof state === 'object' && state !== null) return state
    } catch {
      // Said below, with what to do.
    }
    throw new StateMisfit(`${this.#file} holds no progress of a verification`)
  }

  /** Takes the newest state, and writes it down now and then. */
  save(state: () => object): void {
    this.#newest = state
    if (Date.now() - this.#writtenAt >= interval) this.write()
  }

  /** Writes the newest state down, by rename: whoever reads the file finds a whole state. @returns whether there is one */
  write(): boolean {
    if (this.#newest === undefined) return existsSync(this.#file)
    const beside = `${this.#file}.${process.pid}`
    writeFileSync(beside, `${JSON.stringify(this.#newest())}\n`, { mode: 0o600 })
    renameSync(beside, this.#file)
    this.#writtenAt = Date.now()
    return true
  }

  /** After the verification came to its end. */
  remove(): void {
    rmSync(this.#file, { force: true })
  }
}
