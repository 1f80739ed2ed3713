/** The names that stand on log lines, from the least to the most severe. (FA-04) */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'SUCCESS' | 'WARNING' | 'ERROR' | 'CRITICAL'

/** The number of each level; a line is written when its number is at least the threshold's. (FA-04) */
export const levelNumbers: Readonly<Record<LogLevel, number>> = {
  TRACE: 5,
  DEBUG: 10,
  INFO: 20,
  SUCCESS: 25,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
}

/** Levels of the service's own, by name: capital letters, digits and `_`; numbers from 1 to 100. */
export type OwnLevels = Readonly<Record<string, number>>

/** All levels of one instance. */
export class LevelScale {
  readonly #numbers: ReadonlyMap<string, number>

  /** @throws TypeError for a name or number that cannot be one, and for one of ours with another number */
  constructor(own: OwnLevels = {}) {
    const numbers = new Map<string, number>(Object.entries(levelNumbers))
    for (const [name, number] of Object.entries(own)) {
      if (!/^[A-Z][A-Z0-9_]{0,31}$/.test(name))
        throw new TypeError(`"${name}" is no name of a level. Write it like NOTICE.`)
      if (!Number.isInteger(number) || number < 1 || number > 100)
        throw new TypeError(`the number of ${name} has to be a whole one from 1 to 100.`)
      if (Object.hasOwn(levelNumbers, name))
        throw new TypeError(`${name} is a level of Deedbox and keeps its number.`)
      numbers.set(name, number)
    }
    this.#numbers = numbers
  }

  /** The number of a level by its exact name. */
  numberOf(name: string): number | undefined {
    return this.#numbers.get(name)
  }

  /** Reads a level name in any case; `WARN` and `FATAL` are understood too. */
  read(text: string): string | undefined {
    const name = text.trim().toUpperCase()
    if (name === 'WARN') return 'WARNING'
    if (name === 'FATAL') return 'CRITICAL'
    return this.#numbers.has(name) ? name : undefined
  }

  /** The names, from the least to the most severe. */
  get names(): readonly string[] {
    return [...this.#numbers].sort(([, a], [, b]) => a - b).map(([name]) => name)
  }
}

const standard = new LevelScale()

/** Reads the name of one of our own levels in any case; `WARN` and `FATAL` are understood too. */
export function readLevel(text: string): LogLevel | undefined {
  return standard.read(text) as LogLevel | undefined
}
