import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SelfSigned } from './certificates.ts'
import type { ServerKind } from './server-kind.ts'

/** MongoDB as it is installed: no user, no database yet. Neither Debian nor a package registry has it. */
export const mongod: ServerKind = {
  name: 'MongoDB',
  program: 'mongod',
  folders: ['usr/bin', 'usr/local/bin', 'opt/homebrew/opt/mongodb-community*/bin'],
  packages: [],
  image: { name: 'mongo:7.0.14' },
  refusesRoot: false,
  end: 'SIGKILL',
  halt: 'SIGTERM',
  ready: /Waiting for connections/i,
  prepare: ({ folder }) => {
    mkdirSync(join(folder, 'data'))
  },
  args: ({ folder, port }) => [
    ...['--dbpath', join(folder, 'data')],
    ...['--bind_ip', '127.0.0.1', '--port', String(port)],
    '--nounixsocket',
  ],
}

/** How FerretDB is to listen. */
export interface FerretdbOptions {
  /** TLS and nothing else. */
  readonly certificate?: SelfSigned
  /** The one user's, in the database `admin`; without it nobody has to say who they are. */
  readonly user?: { readonly name: string; readonly password: string }
}

/**
 * FerretDB, the last one that brings its own storage: MongoDB's wire protocol over SQLite. What it lacks that MongoDB
 * has (expressions on documents, atomic updates, lists in lists) is what tests with it cannot show.
 */
export function ferretdb({ certificate, user }: FerretdbOptions = {}): ServerKind {
  return {
    name: 'FerretDB',
    program: 'ferretdb',
    folders: [],
    packages: [],
    source: {
      module: 'github.com/FerretDB/FerretDB',
      version: 'v1.24.2',
      package: './cmd/ferretdb',
      files: { 'build/version/version.txt': 'v1.24.2' },
    },
    refusesRoot: false,
    end: 'SIGKILL',
    // At any other signal it waits seconds for its clients; SQLite has on disk what was acknowledged.
    halt: 'SIGKILL',
    ready: /Listening on (TCP|TLS)/,
    prepare: ({ folder }) => {
      mkdirSync(join(folder, 'data'))
    },
    args: ({ folder, port }) => [
      '--handler=sqlite',
      `--sqlite-url=file:${join(folder, 'data')}/`,
      '--state-dir=-',
      '--debug-addr=-',
      '--telemetry=disable',
      ...(certificate === undefined
        ? [`--listen-addr=127.0.0.1:${port}`]
        : [
            '--listen-addr=',
            `--listen-tls=127.0.0.1:${port}`,
            `--listen-tls-cert-file=${certificate.certFile}`,
            `--listen-tls-key-file=${certificate.keyFile}`,
          ]),
      ...(user === undefined
        ? []
        : [
            '--test-enable-new-auth',
            '--setup-database=admin',
            `--setup-username=${user.name}`,
            `--setup-password=${user.password}`,
          ]),
    ],
  }
}
