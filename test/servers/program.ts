import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerArgs } from './container.ts'
import type { Start } from './server-kind.ts'

/** A program with its arguments, and the identity that it is to be given. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
}

/**
 * How a program of an installation is run: by itself, or in a container.
 * @param isServer whether it is the one that stays
 */
export function commandOf(
  { installation, folder, identity }: Start,
  program: string,
  args: readonly string[],
  isServer = false,
): Command {
  const { bin, container } = installation
  if (container === undefined) return { file: join(bin, program), args, ...identity }
  const { docker, image, renamed } = container
  const contained = { program: renamed[program] ?? program, args, folder, identity, isServer }
  return { file: docker, args: containerArgs(image, contained) }
}

/**
 * Runs a program of an installation to its end, and returns what it wrote.
 * @throws Error with what it said
 */
export function runProgram(start: Start, program: string, args: readonly string[], input?: string): string {
  const { file, args: all, ...identity } = commandOf(start, program, args)
  const { status, stdout, stderr, error } = spawnSync(file, all, {
    cwd: start.folder,
    env: start.installation.env,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
    ...(input === undefined ? {} : { input }),
    ...identity,
  })
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}

/**
 * A file of an installation.
 * @param paths where it may be, without a leading slash
 * @throws Error if it is nowhere
 */
export function fileOf(start: Start, ...paths: readonly string[]): string {
  const { root, container } = start.installation
  for (const path of paths) {
    if (container !== undefined) {
      try {
        return runProgram(start, 'cat', [join(root, path)])
      } catch {
        continue
      }
    }
    if (existsSync(join(root, path))) return readFileSync(join(root, path), 'utf8')
  }
  throw new Error(`the installation has no ${paths.join(' or ')}`)
}
