import type { LevelScale } from './levels.ts'

/** What a filter is asked about. */
export interface LineFacts {
  readonly level: string
  /** The level's number. */
  readonly number: number
  /** The name of the logger; absent for lines of an unnamed one. */
  readonly logger: string | undefined
  /** What kind of line it is: `app.log`, `request.summary`, `job.summary`, `audit`, `process`, `deedbox`. */
  readonly type: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/**
 * Which lines a sink takes: those for which a function says so; those of the logger with this name and all below it;
 * or, by such names, those of at least a level, where the name `''` stands for all others. (FA-50)
 */
export type LineFilter = ((line: LineFacts) => boolean) | string | Readonly<Record<string, string>>

/**
 * Makes one function of a filter.
 * @throws TypeError for what is no filter, and for a level that does not exist
 */
export function compileFilter(filter: LineFilter, scale: LevelScale): (line: LineFacts) => boolean {
  if (typeof filter === 'function') return filter
  if (typeof filter === 'string') return ({ logger, type }) => isBelow(logger ?? type, filter)
  if (typeof filter !== 'object' || filter === null)
    throw new TypeError('A filter is a function, the name of a logger, or levels by names.')
  const least = new Map<string, number>()
  for (const [name, level] of Object.entries(filter)) {
    const number = scale.numberOf(scale.read(String(level)) ?? '')
    if (number === undefined) throw new TypeError(`"${level}" is no level. Use ${scale.names.join(', ')}.`)
    least.set(name, number)
  }
  return ({ logger, type, number }) => {
    for (let part = logger ?? type; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const known = least.get(part)
      if (known !== undefined) return number >= known
    }
    return number >= (least.get('') ?? 0)
  }
}

function isBelow(name: string, prefix: string): boolean {
  return name === prefix || name.startsWith(`${prefix}.`) || prefix === ''
}
