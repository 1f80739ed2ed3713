import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { generatedLedgers, openGenerated } from './generated-ledger.ts'
import { get, samples } from './http-reads.ts'
import { cpuSeconds, residentMemory } from './process-facts.ts'
import { type Line, numberText } from './report.ts'
import type { Bench } from './scenario.ts'
import { quantile } from './statistics.ts'
import { deedboxCommand, ledgerEnv } from './workshop.ts'

/** Receipts out of a large ledger, and the full verification of it. */
export async function proofs(bench: Bench): Promise<Line[]> {
  const large = await generatedLedgers(bench).large
  const size = numberText(large.events)
  const lines = await receipts(bench, large.folder, size)

  const open = await openGenerated(large)
  const key = open.verifierKey
  await open.close()
  const [perMillion, rates, cpu, memory]: number[][] = [[], [], [], []]
  // A verification of ten million events takes minutes, and the first one says enough.
  const rounds = large.events > 2_000_000 ? 1 : Math.min(3, bench.scale.rounds)
  for (let round = 1; round <= rounds; round++) {
    const run = await verify(large.folder, key)
    rates!.push(run.events / run.seconds)
    perMillion!.push((run.seconds / run.events) * 1e6)
    if (run.highest !== undefined) memory!.push(run.highest)
    if (run.cpu !== undefined) cpu!.push((run.cpu / run.events) * 1e6)
    bench.say(`verify, round ${round}: ${run.events} events in ${run.seconds.toFixed(1)} s`)
  }
  lines.push(
    {
      what: `\`deedbox verify --data\`, everything, of ${size} events: for a million`,
      unit: 's',
      measured: { values: perMillion! },
      aim: '≤ 30, goal 10',
    },
    { what: 'the same', unit: 'events/s', measured: { values: rates! } },
  )
  if (cpu!.length > 0) {
    lines.push({ what: 'its CPU time for a million', unit: 's', measured: { values: cpu! } })
  }
  if (memory!.length > 0) {
    lines.push({ what: 'its resident memory, highest', unit: 'MiB', measured: { values: memory! } })
  }
  return lines
}

async function receipts(bench: Bench, folder: string, size: string): Promise<Line[]> {
  const server = await bench.workshop.startLedger(folder)
  const found = await samples(server.port, bench.scale.reads)
  const [p50, p99]: number[][] = [[], []]
  for (let round = 0; round <= bench.scale.rounds; round++) {
    const times: number[] = []
    for (const { tx_id } of found) {
      times.push((await get(server.port, `/v1/events/${tx_id}/receipt`)).milliseconds)
    }
    // The first round warms up.
    if (round === 0) continue
    p50!.push(quantile(times, 0.5))
    p99!.push(quantile(times, 0.99))
  }
  await server.stop()
  bench.say(`receipts: p99 ${p99!.map(value => value.toFixed(2)).join(', ')} ms`)
  return [
    { what: `a receipt over HTTP out of ${size} events: median`, unit: 'ms', measured: { values: p50! } },
    { what: 'the same: 99 of 100 answered within', unit: 'ms', measured: { values: p99! }, aim: '≤ 5' },
  ]
}

/**
 * Runs the built command on a generated ledger.
 *
 * @throws Error when its verdict is not `ok`
 */
async function verify(
  folder: string,
  key: string,
): Promise<{ events: number; seconds: number; highest: number | undefined; cpu: number | undefined }> {
  const started = performance.now()
  const args = [deedboxCommand, 'verify', '--json', '--data', join(folder, 'data'), '--key', key]
  const child = spawn(process.execPath, args, { env: ledgerEnv(folder), stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let highest: number | undefined
  let cpu: number | undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  // Both are sums that the system keeps; they only have to be asked for before the process is gone.
  const watch = setInterval(() => {
    highest = residentMemory(child.pid ?? 0)?.highest ?? highest
    cpu = cpuSeconds([child.pid ?? 0]) ?? cpu
  }, 20)
  const [code] = await once(child, 'close')
  clearInterval(watch)
  if (code !== 0) throw new Error(`deedbox verify ended with ${code}: ${said}`)
  const { checked } = JSON.parse(said) as { checked: number }
  return { events: checked, seconds: (performance.now() - started) / 1000, highest, cpu }
}
