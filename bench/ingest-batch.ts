import { join } from 'node:path'
import { addRate, postSingles, startFastifyPg, startFastifySqlite } from './ingest-peers.ts'
import { residentMemory } from './process-facts.ts'
import type { Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import { benchKey } from './workshop.ts'

const batchSize = 1_000
const severalConnections = 4

interface Ceiling {
  events: number
  seconds: number
  cpuSeconds: number
  pragmas: Record<string, unknown>
}

/** `POST /v1/events/batch` against SQLite's ceiling for the same rows, and against one INSERT for each event. */
export async function ingestBatch(bench: Bench): Promise<Line[]> {
  const { scale, say } = bench
  const several: Measured = { values: [] }
  const one: Measured = { values: [] }
  const ceiling: Measured = { values: [], cpu: [] }
  const sqlite: Measured = { values: [] }
  const pg: Measured = { values: [] }
  let noPg: { missing: string } | undefined
  const highest: number[] = []
  const after: number[] = []
  for (let round = 1; round <= scale.rounds; round++) {
    const folder = bench.workshop.newFolder('ledger')
    const memory = await batches(bench, folder, severalConnections, several)
    if (memory !== undefined) {
      highest.push(memory.highest)
      after.push(memory.now)
    }
    const row = await ceilingOf(bench, folder)
    ceiling.values.push(row.events / row.seconds)
    ceiling.cpu?.push(row.cpuSeconds / row.events)
    bench.settings.set('ledger and SQLite’s ceiling', row.pragmas)
    await batches(bench, bench.workshop.newFolder('ledger'), 1, one)

    const table = await startFastifySqlite(bench)
    addRate(sqlite, await postSingles(bench, table))
    await table.server.stop()
    const pgTable = await startFastifyPg(bench)
    if ('missing' in pgTable) noPg = pgTable
    else {
      addRate(pg, await postSingles(bench, pgTable))
      await pgTable.server.stop()
    }
    const all = { several, one, ceiling, sqlite, pg }
    const rates = Object.entries(all).map(([name, { values }]) => `${name} ${Math.round(values.at(-1) ?? 0)}`)
    say(`batch, round ${round}: ${rates.join(', ')} events/s; memory ${Math.round(memory?.highest ?? 0)} MiB`)
  }
  const lines: Line[] = [
    {
      what: `batches of 1,000 over HTTP, ${severalConnections} connections`,
      unit: 'events/s',
      measured: several,
      aim: '≥ 25,000, goal 60,000',
      against: [
        { what: 'SQLite’s ceiling, the same rows', peer: ceiling, aim: '≥ 0.6' },
        { what: 'Fastify + `node:sqlite`, an INSERT each', peer: sqlite },
        { what: 'Fastify + `pg`, an INSERT each', peer: noPg ?? pg, aim: '≥ 5' },
      ],
    },
    { what: 'the same, 1 connection', unit: 'events/s', measured: one },
  ]
  if (highest.length > 0) {
    const what = `resident memory of the ledger under ${severalConnections} connections`
    lines.push(
      { what: `${what}, highest`, unit: 'MiB', measured: { values: highest }, aim: '≤ 250' },
      { what: 'the same, right after the last batch', unit: 'MiB', measured: { values: after } },
    )
  }
  return lines
}

/** One fresh ledger under batches. Resolves to its resident memory in MiB. */
async function batches(
  { workshop, scale }: Bench,
  folder: string,
  connections: number,
  measured: Measured,
): Promise<ReturnType<typeof residentMemory>> {
  const server = await workshop.startLedger(folder)
  const result = await workshop.load({
    kind: 'batches',
    port: server.port,
    connections,
    apiKey: benchKey,
    cpuOf: [server.pid],
    warmBatches: scale.warmBatches,
    batches: scale.batches,
    size: batchSize,
  })
  addRate(measured, result, batchSize)
  const memory = residentMemory(server.pid)
  await server.stop()
  return memory
}

function ceilingOf({ workshop, scale }: Bench, folder: string): Promise<Ceiling> {
  return workshop.runJson<Ceiling>('peers/sqlite-ceiling.ts', [
    join(folder, 'data', 'ledger.db'),
    join(folder, 'ceiling.db'),
    String(batchSize),
    String(scale.warmBatches),
  ])
}
