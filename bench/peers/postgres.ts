import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'

/** A PostgreSQL that can be measured. */
export interface Postgres {
  connectionString: string
  /** The process whose descendants do its work; undefined when it is not ours, and its CPU time not to be had. */
  pid: number | undefined
  stop(): Promise<void>
}

/** Why there is none. */
export interface NoPostgres {
  missing: string
}

/**
 * A PostgreSQL that the environment names (DATABASE_URL or PGHOST; a table deedbox_bench_audit_log is made there,
 * and dropped first), else a throw-away cluster below `folder` with the server's own defaults, on loopback.
 */
export async function findPostgres(folder: string): Promise<Postgres | NoPostgres> {
  const { DATABASE_URL, PGHOST } = process.env
  if (DATABASE_URL || PGHOST) {
    return { connectionString: DATABASE_URL || '', pid: undefined, stop: async () => undefined }
  }
  const programs = postgresPrograms()
  if (programs === undefined) {
    return { missing: 'no DATABASE_URL or PGHOST, and no postgres and initdb on this machine' }
  }
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? ['setpriv', 'runuser'].map(unprivileged).find(Boolean) : []
  if (user === undefined)
    return { missing: 'root may not run PostgreSQL, and there is no runuser or setpriv' }
  return startCluster(folder, programs, user)
}

/** The command prefix that runs a program as somebody without rights. */
function unprivileged(program: string): string[] | undefined {
  if (spawnSync(program, ['--version']).error !== undefined) return undefined
  return program === 'runuser'
    ? ['runuser', '-u', 'nobody', '--']
    : ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '--']
}

async function startCluster(
  folder: string,
  programs: string,
  user: string[],
): Promise<Postgres | NoPostgres> {
  const data = join(folder, 'pgdata')
  if (user.length > 0) {
    // The folder of the run is its owner's alone; somebody else has to get through it to this one.
    chmodSync(dirname(folder), 0o711)
    chmodSync(folder, 0o777)
  }
  const [initdb = '', ...initArgs] = [...user, join(programs, 'initdb')]
  const made = spawnSync(
    initdb,
    [...initArgs, '-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
    {
      encoding: 'utf8',
      cwd: folder,
    },
  )
  if (made.status !== 0) return { missing: `initdb failed: ${firstLine(made.stderr || String(made.error))}` }
  const port = await freePort()
  const settings = ['-p', String(port), '-h', '127.0.0.1', '-k', folder]
  const [command = '', ...args] = [...user, join(programs, 'postgres'), '-D', data, ...settings]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder })
  const problem = await untilReady(child)
  if (problem !== undefined) return { missing: `postgres did not start: ${firstLine(problem)}` }
  return {
    connectionString: `postgres://bench@127.0.0.1:${port}/postgres`,
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGINT')
      await ended
    },
  }
}

/** Resolves to undefined once it takes connections, else to what it said. */
function untilReady(child: ChildProcess): Promise<string | undefined> {
  return new Promise(resolve => {
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-65_536)
      if (said.includes('ready to accept connections')) resolve(undefined)
    })
    child.once('error', error => resolve(error.message))
    child.once('exit', () => resolve(said || 'it ended'))
  })
}

/** The folder with `postgres` and `initdb`: on the path, or where Debian keeps them; the newest version. */
function postgresPrograms(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(folder => folder !== ''),
    ...versions.map(version => join(debian, version, 'bin')),
  ]
  const found = folders.find(
    folder => existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb')),
  )
  return found === undefined ? undefined : dirname(realpathSync(join(found, 'postgres')))
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}
