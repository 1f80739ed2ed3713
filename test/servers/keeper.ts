// Starts one server, and ends it when whoever started this is gone, however that came about: standard input ends then.
import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder = '', how = '{}', program = '', ...args] = process.argv.slice(2)
const { uid, gid, end } = JSON.parse(how) as { uid?: number; gid?: number; end?: NodeJS.Signals }
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
process.stdin.on('end', () => server.kill(halt ?? end))
// The tests' terminal sends these to everybody; the server's end is up to standard input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
server.on('error', error => {
  console.error(error.message)
  process.exit(1)
})
server.on('exit', code => {
  if (halt === undefined) rmSync(folder, { recursive: true, force: true })
  process.exit(code ?? 0)
})
