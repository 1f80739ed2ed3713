import { appendFileSync } from 'node:fs'

/** One line of the table that `npm run drills` prints at its end. */
export interface DrillReport {
  drill: string
  rounds: number
  /** Events of which it was promised that they are stored. */
  acknowledged: number
  /** Events found afterwards. */
  stored: number
  /** Answers and starts that were refused with a reason. */
  refused: number
  /** How often each verdict, or refusal to start, was met. */
  verdicts: Record<string, number>
}

/** How many kills the long form is made of; `npm run drills` sets it to a thousand (DESIGN §10). */
const wholeForm = 1_000

/** The kills asked for, or undefined in the short form that is part of `npm test`. */
const asked = process.env.DEEDBOX_DRILL_ROUNDS

/** How many rounds a drill has: `short` in `npm test`, else its share of `long` for the kills that were asked for. */
export function roundsOf(short: number, long: number): number {
  return asked === undefined ? short : Math.max(short, Math.ceil((long * Number(asked)) / wholeForm))
}

/** Says how far a long drill is; the short forms say nothing. */
export function drillProgress(drill: string, done: number, rounds: number): void {
  if (asked !== undefined) process.stderr.write(`${drill}: ${done} of ${rounds}\n`)
}

/** Adds a line to the table, if there is going to be one. */
export function reportDrill(report: DrillReport): void {
  const file = process.env.DEEDBOX_DRILL_REPORT
  if (file) appendFileSync(file, `${JSON.stringify(report)}\n`)
}
