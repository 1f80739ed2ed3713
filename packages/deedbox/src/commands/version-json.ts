import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { errorMessage } from '../safety/index.ts'
import { ciFacts } from './ci-facts.ts'
import { gitFacts } from './git-facts.ts'
import { UsageError } from './usage-error.ts'
import { sourceUrl, type VersionFacts } from './version-facts.ts'
import { versionJsonHelp } from './version-json-help.ts'

const options = {
  out: { type: 'string' },
  source: { type: 'string' },
  version: { type: 'string' },
  commit: { type: 'string' },
  build: { type: 'string' },
  help: { type: 'boolean' },
} as const

/**
 * `deedbox version-json`. Returns the exit code. (DF-05)
 * @throws UsageError
 */
export function versionJson(args: string[]): number {
  const { values } = parseArgs({ args, options })
  if (values.help) {
    process.stdout.write(versionJsonHelp)
    return 0
  }
  const { out, help: _, ...given } = values
  const told: VersionFacts = { ...given, source: readSource(given.source) }
  const { shortCommit, ...ci } = ciFacts(process.env)
  if (shortCommit !== undefined && given.commit === undefined)
    process.stderr.write(
      `deedbox: The CI system says "${shortCommit}" is the commit, which is cut short, and is not used.\n`,
    )
  const known: VersionFacts = { ...ci, ...present(told) }
  const isEnough = known.source !== undefined && known.commit !== undefined
  const git = gitFacts(process.cwd())
  const found: VersionFacts = { ...git.facts, ...known }
  const { source, commit } = found
  if (source === undefined || commit === undefined) {
    process.stderr.write(
      `deedbox: ${source === undefined ? 'The repository' : 'The commit'} cannot be found out: ${git.problem ?? 'its remote is no address that others reach'}. ` +
        'No variables of a CI system that is known say it either. Give --source and --commit.\n',
    )
    return 1
  }
  if (isEnough && git.facts.commit !== undefined && git.facts.commit !== commit) {
    process.stderr.write(
      `deedbox: The repository here is at ${git.facts.commit}, and the version object says ${commit}. --commit decides.\n`,
    )
  }
  // A tag is of its commit.
  const version = known.version ?? (git.facts.commit === commit ? git.facts.version : undefined)
  const object = { source, version: version ?? '', commit, build: found.build ?? '' }
  const text = `${JSON.stringify(object, undefined, 2)}\n`
  if (out === undefined) process.stdout.write(text)
  else {
    try {
      writeFileSync(out, text)
    } catch (error) {
      process.stderr.write(`deedbox: ${out} cannot be written: ${whyNot(error, out)}\n`)
      return 1
    }
  }
  return 0
}

function whyNot(error: unknown, out: string): string {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  return isMissing ? `there is no folder ${dirname(out)}. Make it first.` : errorMessage(error)
}

function readSource(given: string | undefined): string | undefined {
  if (given === undefined) return undefined
  const url = sourceUrl(given)
  if (url === undefined) throw new UsageError('--source is no URL of a repository that others reach.')
  return url
}

/** Without the members that say nothing. */
function present(facts: VersionFacts): VersionFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
