import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SelfSigned, selfSigned } from './certificates.ts'
import { runProgram } from './program.ts'
import type { ServerKind } from './server-kind.ts'

/** PostgreSQL: the user `postgres` and the database `postgres`, without a password. */
export const postgres: ServerKind = {
  name: 'PostgreSQL',
  program: 'postgres',
  folders: ['usr/lib/postgresql/*/bin', 'usr/pgsql-*/bin', 'opt/homebrew/opt/postgresql@*/bin'],
  packages: ['postgresql'],
  image: { name: 'postgres:16.4' },
  refusesRoot: true,
  end: 'SIGQUIT',
  halt: 'SIGINT',
  ready: /database system is ready to accept connections/,
  prepare: start => {
    const trusting = ['-D', 'data', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    runProgram(start, 'initdb', trusting)
  },
  args: ({ port }) => [
    ...['-D', 'data', '-p', String(port), '-F'],
    ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  ],
}

/** A user that needs a password, in {@link guardedPostgres} and in `guardedMariadb`. */
export const guard = { user: 'guard', password: 'what-only-the-guard-knows' }

/**
 * PostgreSQL that can be asked over TLS as well, and whose user `guard` needs a password; `postgres` needs none.
 * @param told gets the certificate, before the server starts
 */
export function guardedPostgres(told: (certificate: SelfSigned) => void): ServerKind {
  return {
    ...postgres,
    prepare: start => {
      postgres.prepare(start)
      const certificate = selfSigned(start.folder, start.identity)
      told(certificate)
      const { certFile, keyFile } = certificate
      appendFileSync(
        join(start.folder, 'data/postgresql.conf'),
        `ssl = on\nssl_cert_file = '${certFile}'\nssl_key_file = '${keyFile}'\n`,
      )
      const hosts = join(start.folder, 'data/pg_hba.conf')
      const making = `CREATE ROLE ${guard.user} LOGIN PASSWORD '${guard.password}'\n`
      runProgram(start, 'postgres', ['--single', '-D', 'data', 'postgres'], making)
      writeFileSync(
        hosts,
        `host all ${guard.user} 127.0.0.1/32 scram-sha-256\n${readFileSync(hosts, 'utf8')}`,
      )
    },
  }
}
