import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chestWrites } from './chest-writes.ts'
import { growth } from './growth.ts'
import { ingestBatch } from './ingest-batch.ts'
import { ingestSingle } from './ingest-single.ts'
import { logCalls } from './log-calls.ts'
import { describeMachine } from './machine.ts'
import { findPostgres, type NoPostgres, type Postgres } from './peers/postgres.ts'
import { proofs } from './proofs.ts'
import type { Line } from './report.ts'
import { requestLog } from './request-log.ts'
import { runText, saveRun, showInReadme } from './results.ts'
import type { Bench, Scale, Scenario } from './scenario.ts'
import { start } from './start.ts'
import { tracked } from './tracked.ts'
import { openWorkshop } from './workshop.ts'

const scenarios: Record<string, Scenario> = {
  'ingest-single': ingestSingle,
  'ingest-batch': ingestBatch,
  growth,
  proofs,
  start,
  'request-log': requestLog,
  'log-calls': logCalls,
  tracked,
  ...chestWrites,
}

const usual: Scale = {
  rounds: 5,
  seconds: 4,
  warmSeconds: 2,
  quietSeconds: 30,
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
  quietSeconds: 0.1,
  batches: 3,
  warmBatches: 1,
  smallLedger: 1_000,
  largeLedger: 3_000,
  growthEvents: 1_000,
  reads: 20,
}

const help = `Usage: npm run bench -- [options]

Measures the built packages beside named peers and prints one table of ratios. A run of everything is also written
to bench/results/.

Options
  --only <name>    one part, may be repeated: ${Object.keys(scenarios).join(', ')}
  --rounds <n>     how often everything is measured, in turn; default ${usual.rounds}
  --long           a generated ledger of ten million events instead of one million
  --keep <folder>  keeps the large generated ledger there, or takes the one that is there
  --quick          tiny counts: shows that it runs, measures nothing
  --readme         shows the figures in README.md; only with a run of everything
  --help           this text

Everything is written below the folder for temporary files; TMPDIR names one on the disk that you mean.
`

class WrongUse extends Error {}

/** What was asked for on the command line. */
function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      long: { type: 'boolean' },
      keep: { type: 'string' },
      quick: { type: 'boolean' },
      readme: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const unknown = values.only?.find(name => !(name in scenarios))
  if (unknown !== undefined) {
    throw new WrongUse(`There is no part "${unknown}". The parts are: ${Object.keys(scenarios).join(', ')}.`)
  }
  if (values.rounds !== undefined && !/^[1-9]\d{0,2}$/.test(values.rounds)) {
    throw new WrongUse(`--rounds takes a number from 1 to 999, not "${values.rounds}".`)
  }
  const isWhole = values.only === undefined && !values.quick
  if (values.readme && !isWhole) {
    throw new WrongUse('--readme goes with a run of everything: the figures of one table come from one run.')
  }
  if (values.long && values.quick)
    throw new WrongUse('--long and --quick say opposite things. Leave one out.')
  const scale = { ...(values.quick ? quick : usual) }
  if (values.rounds !== undefined) scale.rounds = Number(values.rounds)
  if (values.long) scale.largeLedger = 10_000_000
  return { ...values, isWhole, scale }
}

async function run(options: ReturnType<typeof optionsOf>): Promise<void> {
  const workshop = openWorkshop()
  let pg: Promise<Postgres | NoPostgres> | undefined
  const bench: Bench = {
    workshop,
    scale: options.scale,
    keep: options.keep === undefined ? undefined : resolve(options.keep),
    generated: undefined,
    settings: new Map(),
    say: text => process.stderr.write(`${text}\n`),
    postgres: () => {
      pg ??= findPostgres(workshop.newFolder('postgres'))
      return pg
    },
  }
  const close = async (): Promise<void> => {
    const found = await pg
    if (found !== undefined && 'stop' in found) await found.stop()
    await workshop.close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void close().finally(() => process.exit(130)))
  }
  try {
    const machine = describeMachine()
    const lines: Line[] = []
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (options.only === undefined || options.only.includes(name)) lines.push(...(await scenario(bench)))
    }
    const { pinned } = workshop
    const settings = Object.fromEntries(bench.settings)
    const whole = { at: new Date().toISOString(), machine, pinned, scale: options.scale, settings, lines }
    if (options.isWhole) saveRun(whole)
    if (options.readme) showInReadme()
    process.stdout.write(runText(whole))
  } finally {
    await close()
  }
}

try {
  const options = optionsOf(process.argv.slice(2))
  if (options.help) process.stdout.write(help)
  else await run(options)
} catch (error) {
  const isUsage = error instanceof WrongUse || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  process.stderr.write(`${isUsage ? (error as Error).message : (error as Error).stack}\n`)
  process.exitCode = isUsage ? 2 : 1
}
