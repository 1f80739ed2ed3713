import type { InfluxOptions } from 'deedbox/chests'
import type { SelfSigned } from '../servers/certificates.ts'
import { createBucket, setUpInfluxdb2 } from '../servers/influxdb2.ts'
import { type InfluxqlServer, influxql } from './influx-reading.ts'

/** The databases of one server, whichever version of InfluxDB it is. */
export interface InfluxDatabases {
  /** How they are read. */
  readonly reading: InfluxqlServer
  create(name: string): Promise<void>
  /** How a chest names one of them. */
  naming(name: string): InfluxOptions
}

/** A server that runs, and was just started. */
export interface StartedInflux {
  readonly name: string
  readonly port: number
  readonly certificate?: SelfSigned
}

/** Sets up a server, as far as its version needs it. */
export async function influxDatabases({ name, port, certificate }: StartedInflux): Promise<InfluxDatabases> {
  const place = { port, ...(certificate && { certificate }) }
  if (name === 'InfluxDB 2') {
    const server = await setUpInfluxdb2(place)
    const { org, token } = server
    return {
      reading: { ...place, token },
      create: bucket => createBucket(server, bucket),
      naming: bucket => ({ org, bucket, token }),
    }
  }
  return {
    reading: place,
    create: async database => {
      await influxql(place, `CREATE DATABASE "${database}"`)
    },
    naming: name === 'InfluxDB 1.6' ? database => ({ database }) : bucket => ({ org: 'shop', bucket }),
  }
}

/** What the tests' titles call a server. */
export function influxTitle(name: string): string {
  return name === 'InfluxDB 1.8' ? 'InfluxDB 1.8 as version 2' : name
}
