import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { madeOnce } from './cache-folder.ts'
import type { ServerKind } from './server-kind.ts'

/**
 * The folder in which the packages of a server are unpacked. They are downloaded the first time, with the libraries that
 * this machine lacks; apt works in folders of our own, so nothing is installed, configured or started, and no right is
 * needed.
 * @throws Error saying why they cannot be had
 */
export function unpackedPackages(kind: ServerKind): string {
  return madeOnce(kind.program, (made, work) => {
    if (spawnSync('apt-get', ['--version']).status !== 0)
      throw new Error('there is no apt-get to fetch it with')
    download(kind, work)
    for (const file of globSync('archives/*.deb', { cwd: work }))
      run('dpkg-deb', ['-x', join(work, file), made])
  })
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
  throw new Error(`${program} could not fetch it: ${why}`)
}
