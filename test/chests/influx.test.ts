import type { TestContext } from 'node:test'
import { type InfluxOptions, influx } from 'deedbox/chests'
import { selfSigned } from '../servers/certificates.ts'
import { type InfluxdbOptions, influxdb, influxdb16 } from '../servers/influxdb.ts'
import { installationOf } from '../servers/installation.ts'
import { type RunningServer, serverFor, startServer } from '../servers/running-server.ts'
import type { ServerKind } from '../servers/server-kind.ts'
import type { ChestHarness, Place } from './chest-harness.ts'
import { chestConformance } from './conformance.ts'
import { influxql, storedIn } from './influx-reading.ts'

const [one8, one6] = [await serverFor(influxdb()), await serverFor(influxdb16())]
type Found = typeof one8

/** How a place of one server is named. */
type Naming = (database: string) => InfluxOptions

let databases = 0

async function placeOn({ port }: RunningServer, naming: Naming): Promise<Place> {
  const database = `chest ${++databases}`
  const options = { host: '127.0.0.1', port, ...naming(database) }
  await influxql({ port }, `CREATE DATABASE "${database}"`)
  return {
    open: more => influx({ ...options, ...more }),
    stored: () => storedIn({ port }, database),
    program: `
      import { influx } from 'deedbox/chests'
      const open = () => influx(${JSON.stringify(options)})`,
  }
}

async function another(t: TestContext, kind: ServerKind): Promise<RunningServer> {
  const server = await startServer(kind, installationOf(kind))
  t.after(() => server.stop())
  return server
}

function harness(
  name: string,
  found: Found,
  kind: (options: InfluxdbOptions) => ServerKind,
  naming: Naming,
): ChestHarness {
  return {
    name,
    skip: found.skip,
    isIdempotent: true,
    isReadable: false,
    place: () => {
      if (found.skip !== false) throw new Error(found.skip)
      return placeOn(found.server, naming)
    },
    ...(found.skip === false ? { server: found.server } : {}),
    withWrongCredentials: async t => {
      const { port } = await another(t, kind({ hasUsers: true }))
      await influxql({ port }, `CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES`)
      await influxql({ port, user: 'admin:right' }, 'CREATE DATABASE d')
      const password = 'wr0ng-password'
      const chest = influx({ ...naming('d'), host: '127.0.0.1', port, token: `admin:${password}` })
      return { chest, password }
    },
    withSelfSigned: async t => {
      const certificate = selfSigned(t)
      const { port } = await another(t, kind({ certificate }))
      await influxql({ port, certificate }, 'CREATE DATABASE d')
      const options = { ...naming('d'), https: true, host: '127.0.0.1', port }
      return {
        byDefault: influx(options),
        accepting: influx({ ...options, verify: false }),
        stored: () => storedIn({ port, certificate }, 'd'),
      }
    },
  }
}

chestConformance(harness('InfluxDB 1.8 as version 2', one8, influxdb, bucket => ({ org: 'shop', bucket })))
chestConformance(harness('InfluxDB 1.6', one6, influxdb16, database => ({ database })))
chestConformance(
  harness('InfluxDB 1.8, points of Flask-Chest', one8, influxdb, bucket => ({
    bucket,
    layout: 'flask-chest',
  })),
)
