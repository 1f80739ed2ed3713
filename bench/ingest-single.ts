import {
  addRate,
  postSingles,
  type SingleTarget,
  startFastifyPg,
  startFastifySqlite,
} from './ingest-peers.ts'
import type { Against, Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import { benchKey } from './workshop.ts'

/** Single `POST /v1/events` against a server that stores nothing, and against home-made audit tables. */
export async function ingestSingle(bench: Bench): Promise<Line[]> {
  const { workshop, scale, say } = bench
  const ledger = await workshop.startLedger(workshop.newFolder('ledger'))
  const bare = await workshop.startPeer('bare-server.ts')
  const pg = await startFastifyPg(bench)
  const targets: [string, SingleTarget][] = [
    ['ledger', { server: ledger, cpuOf: [ledger.pid], apiKey: benchKey }],
    ['bare', { server: bare, cpuOf: [bare.pid] }],
    ['sqlite', await startFastifySqlite(bench)],
  ]
  if (!('missing' in pg)) targets.push(['pg', pg])

  const measured = new Map<string, Measured>(targets.map(([name]) => [name, { values: [] }]))
  const p99: number[] = []
  for (let round = 1; round <= scale.rounds; round++) {
    for (const [name, target] of targets) {
      const result = await postSingles(bench, target)
      addRate(measured.get(name)!, result)
      if (name === 'ledger') p99.push(result.p99)
      say(`single, round ${round}, ${name}: ${Math.round(result.requests / result.seconds)} events/s`)
    }
  }
  for (const [, target] of targets) await target.server.stop()

  const against: Against[] = [
    {
      what: 'bare `node:http`, parses and stores nothing',
      peer: measured.get('bare')!,
      aim: '≥ 0.35, goal 0.60',
    },
    { what: 'Fastify + `node:sqlite`, an INSERT each', peer: measured.get('sqlite')! },
    { what: 'Fastify + `pg`, an INSERT each', peer: 'missing' in pg ? pg : measured.get('pg')! },
  ]
  return [
    {
      what: 'single events over HTTP, 64 connections, 500-byte payloads',
      unit: 'events/s',
      measured: measured.get('ledger')!,
      against,
    },
    { what: 'the same: 99 of 100 answered within', unit: 'ms', measured: { values: p99 } },
  ]
}
