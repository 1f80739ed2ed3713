import { printable } from './log-text.ts'

/** `unseen`: nothing that was looked at shows it; a check of the other kind, or a person, has to say. */
export type Outcome = 'pass' | 'warn' | 'fail' | 'unseen'

/** What was found about one requirement. */
export interface Finding {
  /** Its name and number in Dockerflow, such as `App 4` or `Dockerfile 5`; `Extra` is what we add to it. */
  readonly requirement: string
  readonly outcome: Outcome
  /** A sentence: what was seen. */
  readonly reason: string
  /** A sentence: what to do. Absent where there is nothing to do. */
  readonly advice?: string
}

/** How many findings there are of each outcome. */
export type FindingCount = Readonly<Record<Outcome, number>>

/** The finding that all is well. */
export function pass(requirement: string, reason: string): Finding {
  return { requirement, outcome: 'pass', reason }
}

/** The finding that the requirement is not met. */
export function fail(requirement: string, reason: string, advice: string): Finding {
  return { requirement, outcome: 'fail', reason, advice }
}

/** The finding that it is met, but not well, or that a recommendation is not followed. */
export function warn(requirement: string, reason: string, advice: string): Finding {
  return { requirement, outcome: 'warn', reason, advice }
}

/** The finding that nothing can be said from here. */
export function unseen(requirement: string, reason: string, advice?: string): Finding {
  return { requirement, outcome: 'unseen', reason, ...(advice === undefined ? {} : { advice }) }
}

/** The problems that there are, or that the requirement is met. */
export function passUnless(
  requirement: string,
  problems: readonly (Finding | undefined)[],
  reason: string,
): Finding[] {
  const found = problems.filter(problem => problem !== undefined)
  return found.length > 0 ? found : [pass(requirement, reason)]
}

const groups = ['Build', 'App', 'Dockerfile', 'Optional', 'Static', 'Extra']

/** In the order of the specification; what one subject shows, another need not show too. */
export function joinedFindings(findings: readonly Finding[]): Finding[] {
  const seen = new Set(findings.filter(({ outcome }) => outcome !== 'unseen').map(f => f.requirement))
  const place = ({ requirement }: Finding): number => {
    const [group = '', number] = requirement.split(' ')
    return groups.indexOf(group) * 100 + Number(number)
  }
  const told = new Set<string>()
  const isNews = (finding: Finding): boolean => {
    if (finding.outcome !== 'unseen') return true
    if (seen.has(finding.requirement) || told.has(finding.requirement)) return false
    told.add(finding.requirement)
    return true
  }
  return findings.filter(isNews).toSorted((a, b) => place(a) - place(b))
}

/** Counts them. */
export function countFindings(findings: readonly Finding[]): FindingCount {
  const count = { pass: 0, warn: 0, fail: 0, unseen: 0 }
  for (const { outcome } of findings) count[outcome]++
  return count
}

const outcomeWords: Readonly<Record<Outcome, string>> = {
  pass: 'pass',
  warn: 'warn',
  fail: 'FAIL',
  unseen: '-',
}

/** One line for each finding, and one with the sum. Nothing of what a service answered drives the terminal. */
export function findingsText(findings: readonly Finding[]): string {
  const lines = findings.map(({ requirement, outcome, reason, advice }) => {
    const said = advice === undefined ? reason : `${reason} ${advice}`
    return `${requirement.padEnd(13)}${outcomeWords[outcome].padEnd(6)}${printable(said)}`
  })
  const { pass: passed, fail: failed, warn: warned, unseen: hidden } = countFindings(findings)
  const sum = [
    `${passed} passed`,
    `${failed} failed`,
    `${warned} ${warned === 1 ? 'warning' : 'warnings'}`,
    `${hidden} cannot be seen from here`,
  ]
  return `${lines.join('\n')}\n\n${sum.join(', ')}\n`
}
