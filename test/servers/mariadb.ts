import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerKind } from './server-kind.ts'

/** MariaDB: the user `root` without a password, and no database yet. */
export const mariadb: ServerKind = {
  name: 'MariaDB',
  program: 'mariadbd',
  folders: ['usr/sbin', 'usr/libexec', 'usr/local/sbin', 'opt/homebrew/opt/mariadb/bin'],
  packages: ['mariadb-server-core', 'mariadb-server'],
  refusesRoot: false,
  end: 'SIGKILL',
  halt: 'SIGTERM',
  ready: /ready for connections/,
  prepare: ({ folder }) => {
    mkdirSync(join(folder, 'data'))
  },
  // Without its own tables a server knows no users, and needs none; InnoDB makes its files by itself.
  args: ({ installation, folder, port }) => [
    '--no-defaults',
    '--skip-grant-tables',
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
  ],
}
