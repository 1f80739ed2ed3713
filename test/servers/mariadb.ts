import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type SelfSigned, selfSigned } from './certificates.ts'
import { guard } from './postgres.ts'
import { fileOf, runProgram } from './program.ts'
import type { ServerKind, Start } from './server-kind.ts'

/** MariaDB: the user `root` without a password, and no database yet. */
export const mariadb: ServerKind = {
  name: 'MariaDB',
  program: 'mariadbd',
  folders: ['usr/sbin', 'usr/libexec', 'usr/local/sbin', 'opt/homebrew/opt/mariadb/bin'],
  packages: ['mariadb-server-core', 'mariadb-server'],
  image: { name: 'mariadb:10.11.9' },
  refusesRoot: false,
  end: 'SIGKILL',
  halt: 'SIGTERM',
  ready: /ready for connections/,
  prepare: ({ folder }) => {
    mkdirSync(join(folder, 'data'))
  },
  // Without its own tables a server knows no users, and needs none; InnoDB makes its files by itself.
  args: start => ['--no-defaults', '--skip-grant-tables', ...usualArgs(start)],
}

/**
 * MariaDB that can be asked over TLS as well, and whose user `guard` needs a password; `root` needs none.
 * @param told gets the certificate, before the server starts
 */
export function guardedMariadb(told: (certificate: SelfSigned) => void): ServerKind {
  return {
    ...mariadb,
    prepare: start => {
      mariadb.prepare(start)
      mkdirSync(join(start.folder, 'data/mysql'))
      makeUsers(start)
      told(selfSigned(start.folder))
    },
    args: start => [
      '--no-defaults',
      '--skip-name-resolve',
      `--ssl-cert=${join(start.folder, 'certificate.pem')}`,
      `--ssl-key=${join(start.folder, 'key.pem')}`,
      ...usualArgs(start),
    ],
  }
}

/** Makes the server's own tables as its installation does, and users in them. */
function makeUsers(start: Start): void {
  const input = [
    'USE mysql;',
    'SET @auth_root_socket = NULL;',
    ...['mysql_system_tables.sql', 'mysql_system_tables_data.sql'].map(name =>
      fileOf(start, `usr/share/mysql/${name}`, `usr/share/mariadb/${name}`),
    ),
    'FLUSH PRIVILEGES;',
    "CREATE USER root@'%';",
    "GRANT ALL ON *.* TO root@'%';",
    `CREATE USER ${guard.user}@'%' IDENTIFIED BY '${guard.password}';`,
    `GRANT ALL ON *.* TO ${guard.user}@'%';`,
    '',
  ].join('\n')
  const bootstrap = ['--no-defaults', '--bootstrap', ...usualArgs(start), '--skip-networking']
  runProgram(start, mariadb.program, bootstrap, input)
}

function usualArgs({ installation, folder, port }: Start): string[] {
  return [
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...(installation.root === '/'
      ? []
      : [
          `--basedir=${join(installation.root, 'usr')}`,
          `--lc-messages-dir=${join(installation.root, 'usr/share/mysql')}`,
        ]),
    `--datadir=${join(folder, 'data')}`,
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--innodb-flush-log-at-trx-commit=0',
  ]
}
