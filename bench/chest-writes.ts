import { join } from 'node:path'
import { influxdb } from '../test/servers/influxdb.ts'
import { installationOf } from '../test/servers/installation.ts'
import { mariadb } from '../test/servers/mariadb.ts'
import { ferretdb, mongod } from '../test/servers/mongodb.ts'
import { postgres } from '../test/servers/postgres.ts'
import { startServer } from '../test/servers/running-server.ts'
import type { ServerKind } from '../test/servers/server-kind.ts'
import type { WritesResult } from './peers/chest-writes.ts'
import type { Against, Measured } from './report.ts'
import type { Bench, Scenario } from './scenario.ts'

interface MeasuredChest {
  readonly shown: string
  /** What the driver does by itself. */
  readonly driver: string
  /** The servers that have it, the first one that can be had; none for a file. */
  readonly servers: readonly ServerKind[]
  /** Where it is, by the port of its server. */
  readonly place: (port: number, folder: string) => string
}

/** The chests, by the name that `peers/chest-writes.ts` knows them under. */
const chests: Readonly<Record<string, MeasuredChest>> = {
  sqlite: {
    shown: 'SQLite',
    driver: '`node:sqlite`, a prepared `INSERT` in the same transactions',
    servers: [],
    place: (_port, folder) => join(folder, 'vars.db'),
  },
  postgres: {
    shown: 'PostgreSQL',
    driver: '`pg`, a prepared `INSERT` of as many rows',
    servers: [postgres],
    place: port => `postgres://postgres@127.0.0.1:${port}/postgres`,
  },
  mysql: {
    shown: 'MariaDB',
    driver: '`mysql2`, an `INSERT` of as many rows',
    servers: [mariadb],
    place: port => `mysql://root@127.0.0.1:${port}/bench`,
  },
  mongo: {
    shown: 'MongoDB',
    driver: '`mongodb`, `insertMany`',
    servers: [mongod, ferretdb()],
    place: port => `mongodb://127.0.0.1:${port}/bench`,
  },
  influx: {
    shown: 'InfluxDB',
    driver: '`@influxdata/influxdb-client`, a call for as many points',
    servers: [influxdb()],
    place: port => `http://127.0.0.1:${port}`,
  },
}

/** What each chest writes, against what its driver inserts of the same rows: a part of the benchmarks for each. */
export const chestWrites: Readonly<Record<string, Scenario>> = Object.fromEntries(
  Object.entries(chests).map(([name, chest]) => [`chest-${name}`, bench => writesOf(bench, name, chest)]),
)

async function writesOf(bench: Bench, name: string, { shown, driver, servers, place }: MeasuredChest) {
  const { workshop, scale, say } = bench
  const ours: Measured = { values: [], cpu: [] }
  const theirs: Measured = { values: [], cpu: [] }
  let missing: string | undefined
  for (let round = 1; round <= scale.rounds && missing === undefined; round++) {
    const server = servers.length === 0 ? undefined : await started(servers)
    if (typeof server === 'string') {
      missing = server
      break
    }
    try {
      const at = place(server?.port ?? 0, workshop.newFolder(name))
      const args = [name, at, String(scale.batches), String(scale.warmBatches)]
      const both = await workshop.runJson<{ chest: WritesResult; driver: WritesResult }>(
        'peers/chest-writes.ts',
        args,
      )
      add(ours, both.chest)
      add(theirs, both.driver)
    } finally {
      await server?.stop()
    }
    const [chest = 0, alone = 0] = [ours, theirs].map(({ values }) => Math.round(values.at(-1) ?? 0))
    say(`${shown}, round ${round}: the chest ${chest}, its driver ${alone} variables/s`)
  }
  const against: Against = { what: driver, peer: missing === undefined ? theirs : { missing } }
  const what = `a chest in ${shown}, 256 requests with three variables in each write`
  return [{ what, unit: 'variables/s', measured: ours, against: [against] }]
}

function add({ values, cpu }: Measured, { entries, seconds, cpuSeconds }: WritesResult): void {
  values.push(entries / seconds)
  cpu?.push(cpuSeconds / entries)
}

/** A new, empty one of these servers, or why there is none. */
async function started(kinds: readonly ServerKind[]) {
  const problems: string[] = []
  for (const kind of kinds) {
    try {
      return await startServer(kind, installationOf(kind))
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      problems.push(`${kind.name}: ${problem.replaceAll(/\s+/g, ' ').slice(-200)}`)
    }
  }
  return problems.join('; ')
}
