import type { TestContext } from 'node:test'
import { type InfluxOptions, influx } from 'deedbox/chests'
import { selfSigned } from '../servers/certificates.ts'
import { type InfluxdbOptions, influxdb, influxdb16 } from '../servers/influxdb.ts'
import { influxdb2 } from '../servers/influxdb2.ts'
import { installationOf } from '../servers/installation.ts'
import { type RunningServer, serverFor, startServer } from '../servers/running-server.ts'
import type { ServerKind } from '../servers/server-kind.ts'
import type { ChestHarness } from './chest-harness.ts'
import { chestConformance } from './conformance.ts'
import { influxDatabases, influxTitle } from './influx-databases.ts'
import { influxql, storedIn } from './influx-reading.ts'

// A real InfluxDB 2 where there is one; else 1.8, which takes the writes of version 2 beside its own.
const two = await serverFor(influxdb2(), influxdb())
const one6 = await serverFor(influxdb16())

async function another(t: TestContext, kind: ServerKind): Promise<RunningServer> {
  const server = await startServer(kind, installationOf(kind))
  t.after(() => server.stop())
  return server
}

async function harness(
  found: typeof two,
  kindOf: (options: InfluxdbOptions) => ServerKind,
  more: { readonly title?: string; readonly options?: InfluxOptions } = {},
): Promise<ChestHarness> {
  const title = found.skip === false ? influxTitle(found.server.name) : kindOf({}).name
  const shared = { name: `${title}${more.title ?? ''}`, isIdempotent: true, isReadable: false }
  const { skip } = found
  if (skip !== false) return { ...shared, skip, place: () => Promise.reject(new Error('there is no server')) }
  const { server } = found
  const databases = await databasesOf(server)
  let made = 0
  return {
    ...shared,
    skip,
    server,
    // InfluxDB 2 refuses a field of more than 1 MiB.
    ...(server.name === 'InfluxDB 2' ? { longestText: 1_048_576 } : {}),
    place: async () => {
      const database = `chest ${title}${more.title ?? ''} ${++made}`
      const options = { host: '127.0.0.1', port: server.port, ...databases.naming(database), ...more.options }
      await databases.create(database)
      return {
        open: others => influx({ ...options, ...others }),
        stored: () => storedIn(databases.reading, database),
        program: `
          import { influx } from 'deedbox/chests'
          const open = () => influx(${JSON.stringify(options)})`,
      }
    },
    withWrongCredentials: async t => {
      const password = 'wr0ng-password'
      const { port, name } = await another(t, kindOf({ hasUsers: true }))
      const place = { host: '127.0.0.1', port }
      if (name === 'InfluxDB 2') {
        const { create, naming } = await influxDatabases({ name, port })
        await create('d')
        return { chest: influx({ ...naming('d'), ...place, token: password }), password }
      }
      await influxql({ port }, `CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES`)
      await influxql({ port, user: 'admin:right' }, 'CREATE DATABASE d')
      const chest = influx({ ...databases.naming('d'), ...place, token: `admin:${password}` })
      return { chest, password }
    },
    withSelfSigned: async t => {
      const certificate = selfSigned(t)
      const { port, name } = await another(t, kindOf({ certificate }))
      const { create, naming, reading } = await influxDatabases({ name, port, certificate })
      await create('d')
      const options = { ...naming('d'), https: true, host: '127.0.0.1', port }
      return {
        byDefault: influx(options),
        accepting: influx({ ...options, verify: false }),
        stored: () => storedIn(reading, 'd'),
      }
    },
  }
}

/** A server is set up once. */
const known = new Map<RunningServer, ReturnType<typeof influxDatabases>>()

function databasesOf(server: RunningServer): ReturnType<typeof influxDatabases> {
  const databases = known.get(server) ?? influxDatabases(server)
  known.set(server, databases)
  return databases
}

const kindOfTwo = two.skip === false && two.server.name === 'InfluxDB 2' ? influxdb2 : influxdb
const flaskChest = { title: ', points of Flask-Chest', options: { layout: 'flask-chest' } } as const
chestConformance(await harness(two, kindOfTwo))
chestConformance(await harness(one6, influxdb16))
chestConformance(await harness(two, kindOfTwo, flaskChest))
