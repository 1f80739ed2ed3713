import { join } from 'node:path'
import type { ServerKind } from './server-kind.ts'

/** VictoriaMetrics on one machine: it takes the writes of InfluxDB 2, and keeps the numbers of them. */
export const victoriaMetrics: ServerKind = {
  name: 'VictoriaMetrics',
  program: 'victoria-metrics',
  folders: [],
  packages: [],
  source: {
    module: 'github.com/VictoriaMetrics/VictoriaMetrics',
    version: 'v1.136.23',
    package: './app/victoria-metrics',
  },
  refusesRoot: false,
  end: 'SIGKILL',
  halt: 'SIGTERM',
  ready: /started server at http/,
  prepare: () => {},
  args: ({ folder, port }) => [
    `-storageDataPath=${join(folder, 'data')}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-retentionPeriod=100y',
    '-search.latencyOffset=0s',
  ],
}
