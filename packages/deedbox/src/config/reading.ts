import { findVariable } from '../safety/index.ts'
import { type EnvFile, readEnvFile } from './env-file.ts'
import { type ConfigurationProblem, isWhat } from './problems.ts'
import { chooseProfile } from './profile.ts'
import { type ConfigShape, type Setting, Unsuitable } from './setting.ts'
import { nearestName, variableName } from './variable-names.ts'

/** What is read, from where. */
export interface ReadingSettings {
  readonly shape: ConfigShape
  readonly prefix: string
  readonly env: string | undefined
  readonly profiles: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly file: string | undefined
}

/** A setting that was read. */
export interface ReadSetting {
  /** Its name in the shape. */
  readonly key: string
  readonly variable: string
  readonly setting: Setting<unknown, unknown>
  readonly value: unknown
}

/** What came of reading. */
export interface Reading {
  /** `undefined` if the word for it is none. */
  readonly profile: string | undefined
  readonly settings: readonly ReadSetting[]
  readonly problems: readonly ConfigurationProblem[]
  /** Variables that look as if they were meant for this service and are not known. */
  readonly unknown: readonly ConfigurationProblem[]
  /** What the files hold; the environment itself is not in it. */
  readonly fromFiles: Readonly<Record<string, string>>
}

/** A text of a variable, and the file that it came from. */
interface Found {
  readonly text: string
  readonly origin: string
}

/**
 * Reads all settings, and finds all problems before it returns.
 * @throws TypeError for a shape, default or profile that cannot work in any environment
 */
export function readSettingsOf(settings: ReadingSettings): Reading {
  const { shape, prefix, profiles, environment } = settings
  const problems: ConfigurationProblem[] = []
  const files: { readonly path: string; readonly file: EnvFile }[] = []
  const addFile = (path: string | undefined): void => {
    if (path === undefined) return
    const file = readEnvFile(path)
    files.unshift({ path, file })
    problems.push(...file.problems)
  }
  addFile(settings.file)
  const chosen = chooseProfile(
    settings.env,
    withFiles(environment, files[0]?.file.variables ?? {}),
    prefix,
    Object.keys(profiles),
  )
  if (chosen.problem !== undefined) problems.push(chosen.problem)
  else if (settings.file !== undefined) addFile(`${settings.file}.${chosen.profile}`)

  const variables = variablesOf(shape, prefix)
  const find = (variable: string): Found | undefined => {
    const own = findVariable(environment, [variable])
    if (own !== undefined) return { text: own.value, origin: '' }
    for (const { path, file } of files) {
      const found = findVariable(file.variables, [variable])
      if (found !== undefined) return { text: found.value, origin: ` in ${path}` }
    }
    return undefined
  }
  const fromFiles = Object.assign({}, ...files.map(({ file }) => file.variables).reverse())
  const unset = namesOutside(variables, withFiles(environment, fromFiles))

  const read = (key: string, variable: string, setting: Setting<unknown, unknown>): unknown => {
    const found = find(variable)
    if (found === undefined) {
      const given = givenIn(profiles, chosen.profile, key, setting)
      if (given !== undefined) return acceptGiven(key, setting, given)
      const isElsewhere =
        chosen.profile === undefined &&
        Object.values(profiles).some(values => ofProfile(values, key) !== undefined)
      if (!setting.isOptional && !isElsewhere) problems.push(missing(variable, setting, unset))
      return undefined
    }
    try {
      return setting.read(found.text)
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error
      const isShown = setting.repeats && !setting.secret
      const what = isShown ? isWhat([variable, key], found.text) : 'does not fit'
      const where = error.message === '' ? '' : `: ${error.message}`
      problems.push({
        code: 'unsuitable',
        variable,
        problem: `${what}${found.origin}${where}`,
        remedy: `Set it to ${setting.expects}.`,
      })
      return undefined
    }
  }

  checkProfiles(shape, profiles)
  return {
    profile: chosen.profile,
    settings: [...variables].map(([variable, key]) => {
      const setting = shape[key] as Setting<unknown, unknown>
      return { key, variable, setting, value: read(key, variable, setting) }
    }),
    problems,
    unknown: unknownOnes(variables, prefix, environment, fromFiles),
    fromFiles,
  }
}

/** The environment before files; an empty variable counts as absent there too. (Ruling 1) */
function withFiles(
  environment: ReadingSettings['environment'],
  variables: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== '')
  return { ...variables, ...Object.fromEntries(set) }
}

/** The setting of each variable. */
function variablesOf(shape: ConfigShape, prefix: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const [key, setting] of Object.entries(shape)) {
    const variable = setting.name ?? variableName(key, prefix)
    const other = variables.get(variable)
    if (other !== undefined)
      throw new TypeError(
        `The settings ${other} and ${key} read the same variable, ${variable}. Name one of them.`,
      )
    variables.set(variable, key)
  }
  return variables
}

/** What the profile says, else the default. */
function givenIn(
  profiles: ReadingSettings['profiles'],
  profile: string | undefined,
  key: string,
  setting: Setting<unknown, unknown>,
): unknown {
  const own = profile === undefined ? undefined : ofProfile(profiles[profile], key)
  return own === undefined ? setting.default : own
}

/** A setting may be called `toString`, which every object has. */
function ofProfile(values: Readonly<Record<string, unknown>> | undefined, key: string): unknown {
  return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined
}

function acceptGiven(key: string, setting: Setting<unknown, unknown>, given: unknown): unknown {
  try {
    return setting.accept(given)
  } catch (error) {
    if (!(error instanceof Unsuitable)) throw error
    throw new TypeError(`What the code gives for ${key} does not fit. It has to be ${setting.expects}.`)
  }
}

/** A slip in a profile that is not used now would be found on the day it is. */
function checkProfiles(shape: ConfigShape, profiles: ReadingSettings['profiles']): void {
  for (const [key, setting] of Object.entries(shape)) {
    const given = [setting.default, ...Object.values(profiles).map(values => ofProfile(values, key))]
    for (const value of given) if (value !== undefined) acceptGiven(key, setting, value)
  }
  for (const [profile, values] of Object.entries(profiles)) {
    const key = Object.keys(values ?? {}).find(name => !Object.hasOwn(shape, name))
    if (key !== undefined) throw new TypeError(`The profile ${profile} gives ${key}, which is no setting.`)
  }
}

function missing(
  variable: string,
  { expects, about }: Setting<unknown, unknown>,
  unset: readonly string[],
): ConfigurationProblem {
  const near = nearestName(variable, unset)
  return {
    code: 'missing',
    variable,
    problem: near === undefined ? 'is missing' : `is missing, but ${near} is set`,
    remedy: `Set it to ${expects}${about === undefined ? '' : ` (${about})`}.`,
  }
}

function namesOutside(
  variables: ReadonlyMap<string, string>,
  environment: ReadingSettings['environment'],
): string[] {
  return Object.keys(environment).filter(name => plainName.test(name) && !variables.has(name))
}

/** A name that somebody may have written; others could hold what a terminal obeys. */
const plainName = /^[\w.-]{1,128}$/

/** Names with the prefix; without one only what stands in a file and is nearly a name of ours. */
function unknownOnes(
  variables: ReadonlyMap<string, string>,
  prefix: string,
  environment: ReadingSettings['environment'],
  fromFiles: Readonly<Record<string, string>>,
): ConfigurationProblem[] {
  const names = namesOutside(variables, { ...environment, ...fromFiles })
  const suspects =
    prefix === ''
      ? names.filter(name => name in fromFiles && nearestName(name, variables.keys()) !== undefined)
      : names.filter(name => name.startsWith(prefix) && name !== `${prefix}ENV`)
  return suspects.sort().map(variable => {
    const near = nearestName(variable, variables.keys())
    return {
      code: 'unknown',
      variable,
      problem: 'is read by nothing',
      remedy: near === undefined ? 'Remove it, or look for its right name.' : `Did you mean ${near}?`,
    }
  })
}
