import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SelfSigned } from './certificates.ts'
import type { ServerKind } from './server-kind.ts'

/** How InfluxDB is to listen. */
export interface InfluxdbOptions {
  /** HTTPS and nothing else. */
  readonly certificate?: SelfSigned
  /** Whether everybody has to say who they are; the first user may be created by anybody. */
  readonly hasUsers?: boolean
}

/** InfluxDB 1.8, which takes the writes of version 2 beside its own. No database yet. */
export function influxdb(options: InfluxdbOptions = {}): ServerKind {
  return {
    ...kind(options),
    name: 'InfluxDB 1.8',
    // Not the program of whatever version is installed.
    program: 'influxd-1.8',
    folders: [],
    packages: [],
    source: { module: 'github.com/influxdata/influxdb', version: 'v1.8.10', package: './cmd/influxd' },
    image: { name: 'influxdb:1.8.10', program: 'influxd' },
  }
}

/** InfluxDB 1.6, which Debian and Ubuntu have: only the writes of version 1. No database yet. */
export function influxdb16(options: InfluxdbOptions = {}): ServerKind {
  return {
    ...kind(options),
    name: 'InfluxDB 1.6',
    program: 'influxd',
    version: /^InfluxDB v?1\./,
    folders: ['usr/bin'],
    packages: ['influxdb'],
  }
}

function kind({ certificate, hasUsers = false }: InfluxdbOptions) {
  return {
    refusesRoot: false,
    end: 'SIGKILL',
    // At any other signal it waits for its clients; what it acknowledged is in its log.
    halt: 'SIGKILL',
    ready: /Listening on HTTP/,
    prepare: ({ folder, port }) => {
      const https =
        certificate === undefined
          ? ''
          : `https-enabled = true
https-certificate = ${JSON.stringify(certificate.certFile)}
https-private-key = ${JSON.stringify(certificate.keyFile)}`
      writeFileSync(
        join(folder, 'influxdb.conf'),
        `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = ${JSON.stringify(join(folder, 'meta'))}
[data]
dir = ${JSON.stringify(join(folder, 'data'))}
wal-dir = ${JSON.stringify(join(folder, 'wal'))}
query-log-enabled = false
[monitor]
store-enabled = false
[subscriber]
enabled = false
[continuous_queries]
enabled = false
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
auth-enabled = ${hasUsers}
${https}
`,
      )
    },
    args: ({ folder }) => ['-config', join(folder, 'influxdb.conf')],
  } satisfies Partial<ServerKind>
}
