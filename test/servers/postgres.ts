import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { ServerKind } from './server-kind.ts'

/** PostgreSQL: the user `postgres` and the database `postgres`, without a password. */
export const postgres: ServerKind = {
  name: 'PostgreSQL',
  program: 'postgres',
  folders: ['usr/lib/postgresql/*/bin', 'usr/pgsql-*/bin', 'opt/homebrew/opt/postgresql@*/bin'],
  packages: ['postgresql'],
  refusesRoot: true,
  end: 'SIGQUIT',
  halt: 'SIGINT',
  ready: /database system is ready to accept connections/,
  prepare: ({ installation, folder, identity }) => {
    const { status, stdout, stderr, error } = spawnSync(
      join(installation.bin, 'initdb'),
      ['-D', 'data', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      { cwd: folder, env: installation.env, encoding: 'utf8', ...identity },
    )
    if (status !== 0) throw new Error(`initdb: ${error?.message ?? `${stdout}${stderr}`}`)
  },
  args: ({ port }) => [
    ...['-D', 'data', '-p', String(port), '-F'],
    ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  ],
}
