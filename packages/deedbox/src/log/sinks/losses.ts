import { createRedactor } from '../../safety/index.ts'
import type { LossListener } from '../sink.ts'

/** Milliseconds between two complaints of a sink that no log listens to. */
const quietTime = 10_000

/** Where a sink tells its losses: to the logs that took it, or on stderr while there is none. */
export class Losses {
  readonly #name: string
  readonly #listeners = new Set<LossListener>()
  #lost = 0
  #complainedAt = Number.NEGATIVE_INFINITY

  /** @param name what the sink is called in a complaint */
  constructor(name: string) {
    this.#name = name
  }

  /** Has a log told from now on. */
  readonly listen = (listener: LossListener): void => {
    this.#listeners.add(listener)
  }

  /** Tells that so many lines are lost, or with 0 that something else went wrong. Never throws. */
  readonly tell: LossListener = (lines, problem) => {
    for (const listener of this.#listeners) listener(lines, problem)
    this.#lost += lines
    const now = performance.now()
    if (this.#listeners.size > 0 || now - this.#complainedAt < quietTime) return
    this.#complainedAt = now
    const note = `deedbox: ${this.#name} failed, ${this.#lost} lines are lost so far: ${problem}`
    try {
      process.stderr.write(`${createRedactor().text(note)}\n`)
    } catch {
      // Nowhere left to say it.
    }
  }
}
