import { execFile } from 'node:child_process'

/** How a process ended, and what it said. */
export interface ProgramRun {
  /** -1 for one that a signal ended. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a source of this repository as a process of its own. */
export function programRun(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramRun> {
  return new Promise(resolve => {
    const all = ['--conditions=@deedbox/source', program, ...args]
    execFile(process.execPath, all, { timeout: 60_000, ...options }, (error, stdout, stderr) =>
      resolve({
        code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        stdout,
        stderr,
      }),
    )
  })
}
