import { spawnSync } from 'node:child_process'

/**
 * The program and options under which a process runs while system calls of all its threads fail, or end it. The traced
 * process stays the direct child (`-D`), so that signals and its exit are its own.
 *
 * @param calls system calls, comma-separated, as strace names them
 * @param inject what happens, such as `error=EIO:when=3`; counted for each thread apart. Undefined: they are only traced
 * @param output where the trace goes
 */
export function injecting(calls: string, inject: string | undefined, output = '/dev/null'): string[] {
  const injection = inject === undefined ? [] : ['-e', `inject=${calls}:${inject}`]
  return ['strace', '-D', '-f', '-q', '-y', '-s', '64', '-o', output, '-e', `trace=${calls}`, ...injection]
}

let reason: string | false | undefined

/** Why nothing can be injected here, for the option `skip` of a test; false: it can. */
export function cannotInject(): string | false {
  if (reason !== undefined) return reason
  const tried = spawnSync('strace', ['-D', '-f', '-qq', '-o', '/dev/null', process.execPath, '--version'])
  const said = tried.error?.message ?? tried.stderr.toString().split('\n')[0]
  reason = tried.status === 0 ? false : `strace cannot be used here: ${said}`
  return reason
}
