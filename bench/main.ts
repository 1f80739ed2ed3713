import { parseArgs } from 'node:util'
import { ingestBatch } from './ingest-batch.ts'
import { ingestSingle } from './ingest-single.ts'
import { findPostgres } from './peers/postgres.ts'
import { type Line, table } from './report.ts'
import type { Bench, Scale, Scenario } from './scenario.ts'
import { openWorkshop } from './workshop.ts'

const scenarios: Record<string, Scenario> = { 'ingest-single': ingestSingle, 'ingest-batch': ingestBatch }

const usual: Scale = {
  rounds: 5,
  seconds: 4,
  warmSeconds: 2,
  batches: 100,
  warmBatches: 20,
  smallLedger: 100_000,
  largeLedger: 1_000_000,
  growthEvents: 20_000,
  reads: 1_000,
}
const quick: Scale = {
  rounds: 1,
  seconds: 0.3,
  warmSeconds: 0.1,
  batches: 3,
  warmBatches: 1,
  smallLedger: 1_000,
  largeLedger: 3_000,
  growthEvents: 1_000,
  reads: 20,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
  },
})
const scale = {
  ...(values.quick ? quick : usual),
  ...(values.rounds ? { rounds: Number(values.rounds) } : {}),
}
const workshop = openWorkshop()
let pg: ReturnType<typeof findPostgres> | undefined
const bench: Bench = {
  workshop,
  scale,
  keep: undefined,
  say: text => process.stderr.write(`${text}\n`),
  settings: new Map(),
  postgres: () => {
    pg ??= findPostgres(workshop.newFolder('postgres'))
    return pg
  },
}
try {
  const lines: Line[] = []
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (values.only === undefined || values.only.includes(name)) lines.push(...(await scenario(bench)))
  }
  console.log(table(lines))
  console.log(bench.settings)
} finally {
  const found = await pg
  if (found !== undefined && 'stop' in found) await found.stop()
  await workshop.close()
}
