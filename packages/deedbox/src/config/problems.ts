import { createRedactor } from '../safety/index.ts'

/** What kind of problem it is. A closed set. */
export type ConfigurationProblemCode =
  /** A variable that has to be set is not. */
  | 'missing'
  /** A variable holds what its setting does not take. */
  | 'unsuitable'
  /** A variable has the prefix of this service and belongs to no setting. */
  | 'unknown'
  /** The profile is none of those that there are. (FA-28) */
  | 'unknown_profile'
  /** A file of variables cannot be read, or a line of it is none. */
  | 'bad_file'

/** One thing that is wrong with the environment. Holds no secret. */
export interface ConfigurationProblem {
  readonly code: ConfigurationProblemCode
  /** The variable, or the file with its line: `.env:3`. */
  readonly variable: string
  /** What is wrong: `is missing`. */
  readonly problem: string
  /** What to do, as a sentence. */
  readonly remedy: string
}

/**
 * All that is wrong with the environment of a service, found at once. (DF-54) Its message lists the problems, one a
 * line, each with what to do.
 */
export class ConfigurationProblems extends Error {
  override readonly name = 'ConfigurationProblems'
  readonly code = 'invalid_configuration'
  readonly problems: readonly ConfigurationProblem[]
  /** The profile that was read for, if one could be told. */
  readonly profile: string | undefined

  constructor(problems: readonly ConfigurationProblem[], profile: string | undefined) {
    super([headOf(problems), ...problems.map(problem => `  ${sentenceOf(problem)}`)].join('\n'))
    this.problems = problems
    this.profile = profile
  }
}

/** A problem as one line. */
export function sentenceOf({ variable, problem, remedy }: ConfigurationProblem): string {
  return `${variable} ${problem}. ${remedy}`
}

function headOf({ length }: readonly ConfigurationProblem[]): string {
  return length === 1
    ? 'One thing in the environment of this service cannot work.'
    : `${length} things in the environment of this service cannot work.`
}

const redactor = createRedactor()

/** A longer text is no slip of the hand. */
const longestRepeated = 40

/**
 * `is "80x"`, or words that do not repeat the text where it is long, not readable, or may be secret.
 * @param names those of the variable and of its setting: with a prefix before it, `PIN` is no name of a secret
 */
export function isWhat(names: readonly string[], text: string): string {
  const isShown =
    text.length <= longestRepeated &&
    !/\p{C}/u.test(text) &&
    !names.some(name => redactor.key(name).secret) &&
    redactor.text(text) === text
  return isShown ? `is ${JSON.stringify(text)}` : 'does not fit'
}
