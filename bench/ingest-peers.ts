import { join } from 'node:path'
import type { LoadResult } from './load/job.ts'
import type { Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import type { RunningServer } from './workshop.ts'

/** Keep-alive connections of single events. */
export const singleConnections = 64

/** Bytes of the payload of single events. */
export const payloadBytes = 500

/** A server that takes single events, and the processes whose CPU time it costs. */
export interface SingleTarget {
  server: RunningServer
  cpuOf: number[]
  apiKey?: string
}

/** Fastify and node:sqlite, one INSERT for each event. */
export async function startFastifySqlite({ workshop, settings }: Bench): Promise<SingleTarget> {
  const file = join(workshop.newFolder('fastify-sqlite'), 'audit.db')
  const server = await workshop.startPeer('fastify-sqlite.ts', [file])
  settings.set('Fastify + `node:sqlite`', server.settings)
  return { server, cpuOf: [server.pid] }
}

/** Fastify and pg, one INSERT for each event; or why there is none. */
export async function startFastifyPg(bench: Bench): Promise<SingleTarget | { missing: string }> {
  const postgres = await bench.postgres()
  if ('missing' in postgres) return postgres
  const server = await bench.workshop.startPeer('fastify-pg.ts', [postgres.connectionString])
  bench.settings.set('PostgreSQL', server.settings)
  return { server, cpuOf: postgres.pid === undefined ? [] : [server.pid, postgres.pid] }
}

/** Posts single events for a while, each under a key of its own. */
export async function postSingles({ workshop, scale }: Bench, target: SingleTarget): Promise<LoadResult> {
  return workshop.load({
    kind: 'events',
    port: target.server.port,
    connections: singleConnections,
    cpuOf: target.cpuOf,
    warmSeconds: scale.warmSeconds,
    seconds: scale.seconds,
    payloadBytes,
    ...(target.apiKey === undefined ? {} : { apiKey: target.apiKey }),
  })
}

/** Adds a round's rate, `perRequest` events a request, to what was measured. */
export function addRate(measured: Measured, result: LoadResult, perRequest = 1): void {
  const events = result.requests * perRequest
  measured.values.push(events / result.seconds)
  measured.cpu = [...(measured.cpu ?? []), cpuOfOne(result.cpuSeconds, events)]
}

/** No CPU time at all is no measurement: none was asked for, or the stretch was too short. */
function cpuOfOne(cpuSeconds: number | undefined, events: number): number | undefined {
  return cpuSeconds === undefined || cpuSeconds === 0 ? undefined : cpuSeconds / events
}
