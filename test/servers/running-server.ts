import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { removeContainer, signalContainer } from './container.ts'
import { installationOf } from './installation.ts'
import type { Kept as KeptServer } from './keeper.ts'
import { type Command, commandOf } from './program.ts'
import type { Identity, Installation, ServerKind } from './server-kind.ts'

/** A server that runs for this process alone. */
export interface RunningServer {
  /** Its kind's: where one of several kinds was asked for, the one that it is. */
  readonly name: string
  readonly host: '127.0.0.1'
  readonly port: number
  /** Where it runs, and its data is. */
  readonly folder: string
  /** The process that ends it when ours is gone. */
  readonly keeper: number
  /** Ends it; its data is gone. */
  stop(): Promise<void>
  /** Ends it as `stop` does, and leaves its data for {@link start}. */
  halt(): Promise<void>
  /** Starts it again on the same port, with its data. */
  start(): Promise<void>
}

/**
 * A server for the tests of this file, ended when they are over; or the reason why there is none, for the tests' option
 * `skip`. The end of `npm test` names what was skipped. With `DEEDBOX_REQUIRE_SERVERS=1` a missing server is an error.
 * @param kinds the first one that can be had
 */
export async function serverFor(
  ...kinds: readonly ServerKind[]
): Promise<{ readonly server: RunningServer; readonly skip: false } | { readonly skip: string }> {
  const missing: string[] = []
  for (const kind of kinds) {
    let installation: Installation
    try {
      installation = installationOf(kind)
    } catch (error) {
      missing.push(`${kind.name} (${error instanceof Error ? error.message : String(error)})`)
      continue
    }
    const server = await startServer(kind, installation)
    after(() => server.stop())
    return { server, skip: false }
  }
  const skip = missing.join(' and no ')
  if (process.env.DEEDBOX_REQUIRE_SERVERS === '1') throw new Error(`There is no ${skip}`)
  const list = process.env.DEEDBOX_SKIPPED
  if (list !== undefined) appendFileSync(list, `${skip}\n`)
  return { skip }
}

/**
 * Starts a server on a port of its own, in a folder of its own.
 * @param deadline milliseconds until it has to take connections
 * @throws Error with what it said
 */
export async function startServer(
  kind: ServerKind,
  installation: Installation,
  deadline = 120_000,
): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(kind, installation, deadline)
    } catch (error) {
      // Somebody else may have taken the port in between.
      if (attempt === 3 || error instanceof LateServer) throw error
    }
  }
}

/** It runs, and takes no connections. */
class LateServer extends Error {}

async function startOnce(
  kind: ServerKind,
  installation: Installation,
  deadline: number,
): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), `deedbox-${kind.program}-`))
  const identity = kind.refusesRoot && process.getuid?.() === 0 ? unprivileged() : undefined
  if (identity !== undefined) chownSync(folder, identity.uid, identity.gid)
  const port = await freePort()
  const start = { installation, folder, port, identity }
  try {
    kind.prepare(start)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  const command = commandOf(start, kind.program, kind.args(start), true)
  const settings = { folder, kind, command, installation, deadline }
  let kept = await keep(settings)
  return {
    name: kind.name,
    host: '127.0.0.1',
    port,
    folder,
    get keeper() {
      return kept.pid
    },
    stop: () => kept.end(''),
    halt: () => kept.end(kind.halt),
    start: async () => {
      kept = await keep(settings)
    },
  }
}

/** A server that runs, and the process that ends it. */
interface Kept {
  readonly pid: number
  /**
   * Ends both. Its folder stays where a signal is given.
   * @param halt how; empty for the kind's own
   */
  end(halt: NodeJS.Signals | ''): Promise<void>
}

/** Starts a server and the process that ends it; resolves once it takes connections. */
async function keep({
  folder,
  kind,
  command,
  installation,
  deadline,
}: {
  readonly folder: string
  readonly kind: ServerKind
  readonly command: Command
  readonly installation: Installation
  readonly deadline: number
}): Promise<Kept> {
  const { file, args, ...identity } = command
  const docker = installation.container?.docker
  const how: KeptServer = { ...identity, end: kind.end, ...(docker === undefined ? {} : { docker }) }
  const keeper = spawn(
    process.execPath,
    [join(import.meta.dirname, 'keeper.ts'), folder, JSON.stringify(how), file, ...args],
    { env: installation.env, stdio: ['pipe', 'pipe', 'pipe'] },
  )
  const streams = [keeper.stdin, keeper.stdout, keeper.stderr]
  const gone = once(keeper, 'exit')
  // The server writes to the same pipes: they are closed when it is gone as well.
  const allGone = once(keeper, 'close')
  allGone.catch(() => {})
  // Nobody reads it any more if the keeper was killed.
  keeper.stdin.on('error', () => {})
  const end = async (halt: NodeJS.Signals | ''): Promise<void> => {
    keeper.ref()
    for (const stream of streams) if ('ref' in stream && typeof stream.ref === 'function') stream.ref()
    if (!keeper.stdin.writableEnded) keeper.stdin.end(halt)
    await gone
    const pidFile = join(folder, 'server.pid')
    if (keeper.signalCode !== null && existsSync(pidFile)) {
      const signal = halt || kind.end
      if (docker === undefined || !signalContainer(docker, folder, signal))
        endProcess(Number(readFileSync(pidFile, 'utf8')), signal)
      await allGone
      if (docker !== undefined) removeContainer(docker, folder)
      rmSync(pidFile)
    }
    if (halt === '') rmSync(folder, { recursive: true, force: true })
  }
  let said = ''
  const ready = new Promise<true>(resolve => {
    for (const output of [keeper.stdout, keeper.stderr])
      output.setEncoding('utf8').on('data', text => {
        said = (said + text).slice(-20_000)
        if (kind.ready.test(said)) resolve(true)
      })
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), deadline)
  })
  const ended = gone.then(() => undefined)
  const isReady = await Promise.race([ready, ended, late])
  clearTimeout(timer)
  if (isReady !== true) {
    await end('')
    if (isReady === undefined) throw new Error(`${kind.name} ended:\n${said}`)
    throw new LateServer(`${kind.name} took no connections within ${deadline} ms:\n${said}`)
  }
  // The tests' process must be able to end by itself.
  keeper.unref()
  for (const stream of streams) if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
  return { pid: keeper.pid!, end }
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Somebody who may do nothing. */
function unprivileged(): Identity {
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] =
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find(line => line.startsWith(`${name}:`))
        ?.split(':') ?? []
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('this machine has no user postgres or nobody to run it as')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
