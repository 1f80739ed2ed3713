import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { ServerKind } from './server-kind.ts'

const repository = resolve(import.meta.dirname, '../..')

/**
 * The folder in which the packages of a server are unpacked. They are downloaded the first time, with the libraries that
 * this machine lacks; apt works in folders of our own, so nothing is installed, configured or started, and no right is
 * needed.
 * @throws Error saying why they cannot be had
 */
export function unpackedPackages(kind: ServerKind): string {
  const cache = cacheFolder()
  const unpacked = join(cache, kind.program)
  if (existsSync(unpacked)) return unpacked
  if (kind.packages.length === 0) throw new Error('not installed')
  if (spawnSync('apt-get', ['--version']).status !== 0)
    throw new Error('not installed, and there is no apt-get to fetch it with')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'fetching-'))
  try {
    download(kind, work)
    const made = join(work, 'unpacked')
    mkdirSync(made)
    for (const file of globSync('archives/*.deb', { cwd: work }))
      run('dpkg-deb', ['-x', join(work, file), made])
    // A server that does not run as root has to get in.
    chmodSync(made, 0o755)
    try {
      renameSync(made, unpacked)
    } catch (error) {
      // Another test file was faster.
      if (!existsSync(unpacked)) throw error
    }
    return unpacked
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** In the repository, unless a server that does not run as root could not get there. */
function cacheFolder(): string {
  const own = join(repository, 'node_modules', '.cache', 'deedbox-servers')
  if (process.getuid?.() !== 0 || isOpen(repository)) return own
  const shared = join(tmpdir(), 'deedbox-servers')
  // Anybody may make a folder there; nobody else's programs are to run.
  mkdirSync(shared, { recursive: true })
  if (statSync(shared).uid !== 0) throw new Error(`not installed, and ${shared} is somebody else's`)
  return shared
}

/** Whether everybody may pass through a folder and all above it. */
function isOpen(folder: string): boolean {
  return (statSync(folder).mode & 0o001) !== 0 && (dirname(folder) === folder || isOpen(dirname(folder)))
}

function download({ packages }: ServerKind, work: string): void {
  mkdirSync(join(work, 'state/lists/partial'), { recursive: true })
  mkdirSync(join(work, 'archives/partial'), { recursive: true })
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  run('apt-get', [...options, '-qq', 'update'])
  const problems: string[] = []
  for (const name of packages) {
    try {
      run('apt-get', [...options, '-qq', '-y', '--no-install-recommends', '--download-only', 'install', name])
      return
    } catch (error) {
      problems.push(String(error))
    }
  }
  throw new Error(problems.join('; '))
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
  if (status === 0) return
  const why = (error?.message ?? stderr).trim().split('\n').at(-1)
  throw new Error(`not installed, and ${program} could not fetch it: ${why}`)
}
