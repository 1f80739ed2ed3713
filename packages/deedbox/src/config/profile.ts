import { findVariable } from '../safety/index.ts'
import { type ConfigurationProblem, isWhat } from './problems.ts'

/** The profiles that every service has; production is where nothing is said. (FA-28) */
const usual = ['production', 'development', 'testing'] as const

/** Which profile is read for, or what is wrong with the word that chooses it. */
export type ChosenProfile =
  | { readonly profile: string; readonly problem: undefined }
  | { readonly profile: undefined; readonly problem: ConfigurationProblem }

/**
 * Chooses the profile: the word given in code, else of the variables `ENV` with the prefix, `ENV`, and `NODE_ENV`,
 * whose `test` means testing. Any case. (FA-28)
 * @param further names of the service's own profiles
 */
export function chooseProfile(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
  further: readonly string[],
): ChosenProfile {
  const own = given === undefined || given.trim() === '' ? undefined : { name: 'env', value: given.trim() }
  const named = own ?? findVariable(environment, [...new Set([`${prefix}ENV`, 'ENV', 'NODE_ENV'])])
  if (named === undefined) return { profile: 'production', problem: undefined }
  const lower = named.value.toLowerCase()
  const word = named.name === 'NODE_ENV' && lower === 'test' ? 'testing' : lower
  const known = [...new Set([...usual, ...further])]
  const profile = known.find(name => name.toLowerCase() === word)
  if (profile !== undefined) return { profile, problem: undefined }
  return {
    profile: undefined,
    problem: {
      code: 'unknown_profile',
      variable: named.name,
      problem: isWhat([named.name], named.value),
      remedy: `Set it to ${known.slice(0, -1).join(', ')} or ${known.at(-1)}.`,
    },
  }
}
