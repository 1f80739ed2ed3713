// Starts one server, and ends it when whoever started this is gone, however that came about: standard input ends then.
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { idFile, removeContainer, signalContainer } from './container.ts'

/** What the keeper is told of the server, as JSON. */
export interface Kept {
  readonly uid?: number
  readonly gid?: number
  readonly end: NodeJS.Signals
  /** The program that runs it in a container. */
  readonly docker?: string
}

const [folder = '', how = '{}', program = '', ...args] = process.argv.slice(2)
const { uid, gid, end, docker } = JSON.parse(how) as Kept
// Docker writes no id where one is.
if (docker !== undefined) rmSync(idFile(folder), { force: true })
const server = spawn(program, args, {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
  ...(uid === undefined ? {} : { uid, gid }),
})
// Whoever started this can end the server by it, should this be killed.
if (server.pid !== undefined) writeFileSync(join(folder, 'server.pid'), String(server.pid))
/** What ends a server whose folder stays, because it is started in it again. */
let halt: NodeJS.Signals | undefined
process.stdin.on('data', signal => {
  halt = String(signal) as NodeJS.Signals
})
process.stdin.on('end', () => {
  const signal = halt ?? end
  if (docker === undefined || !signalContainer(docker, folder, signal)) server.kill(signal)
})
// The tests' terminal sends these to everybody; the server's end is up to standard input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
server.on('error', error => {
  console.error(error.message)
  process.exit(1)
})
server.on('exit', code => {
  if (docker !== undefined) removeContainer(docker, folder)
  if (halt === undefined) rmSync(folder, { recursive: true, force: true })
  process.exit(code ?? 0)
})
