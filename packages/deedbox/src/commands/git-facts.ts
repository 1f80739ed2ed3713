import { execFileSync } from 'node:child_process'
import { commitHash, sourceUrl, type VersionFacts } from './version-facts.ts'

/** What git knows of a folder, and why it does not know more. */
export interface GitFacts {
  readonly facts: VersionFacts
  /** Half a sentence. */
  readonly problem?: string
}

/** Asks git. Never throws. */
export function gitFacts(folder: string): GitFacts {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  const attempt = (...args: string[]): string | undefined => {
    try {
      return git(...args) || undefined
    } catch {
      return undefined
    }
  }
  const [first] = (attempt('remote') ?? '').split('\n')
  const remote =
    attempt('config', '--get', 'remote.origin.url') ??
    (first ? attempt('config', '--get', `remote.${first}.url`) : undefined)
  const source = remote === undefined ? undefined : sourceUrl(remote)
  let commit: string | undefined
  try {
    commit = commitHash(git('rev-parse', '--verify', 'HEAD'))
  } catch (error) {
    return { facts: { source }, problem: problemOf(error) }
  }
  const facts = {
    commit,
    source,
    version: attempt('describe', '--tags', '--exact-match', 'HEAD'),
  }
  return remote === undefined ? { facts, problem: 'the repository has no remote' } : { facts }
}

function problemOf(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown }
  if (code === 'ENOENT') return 'git is not installed'
  const [said = ''] = String(stderr ?? '').split('\n')
  if (said.includes('Needed a single revision')) return 'the repository has no commit'
  return `git says "${said.replace(/^fatal: /, '')}"`
}
