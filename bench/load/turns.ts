import { cpuSeconds } from '../process-facts.ts'
import { quantile } from '../statistics.ts'
import { forSeconds, openLoad } from './drive.ts'
import type { LoadResult, TurnsJob } from './job.ts'

// A process of its own: gets one job as its only argument and prints the results, one for each target, as one line
// of JSON.

/** Seconds of one turn: short beside the times at which a shared machine changes, long beside one request. */
const turnSeconds = 0.25

const job = JSON.parse(process.argv[2] ?? '{}') as TurnsJob

const lanes = await Promise.all(
  job.targets.map(async ({ port, cpuOf }) => {
    const get = `GET /things/17?page=2 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: deedbox-bench\r\n\r\n`
    const sum = { requests: 0, seconds: 0, cpu: 0, knowsCpu: true, latencies: [] as number[] }
    return { load: await openLoad(port, job.connections), cpuOf, send: () => get, sum }
  }),
)

/** How many turns of how long make so many seconds. */
function turnsOf(seconds: number): { count: number; length: number } {
  const count = Math.max(1, Math.round(seconds / turnSeconds))
  return { count, length: seconds / count }
}

// Warming up goes in turns as well: servers close what is idle for long.
const warm = turnsOf(job.warmSeconds)
for (let turn = 0; turn < warm.count; turn++) {
  for (const { load, send } of lanes) await load.run(forSeconds(warm.length, send))
}

const measured = turnsOf(job.seconds)
for (let turn = 0; turn < measured.count; turn++) {
  for (const { load, cpuOf, send, sum } of lanes) {
    const before = cpuSeconds(cpuOf)
    const { requests, seconds, latencies } = await load.run(forSeconds(measured.length, send))
    const after = cpuSeconds(cpuOf)
    sum.requests += requests
    sum.seconds += seconds
    for (const latency of latencies) sum.latencies.push(latency)
    if (before === undefined || after === undefined) sum.knowsCpu = false
    else sum.cpu += after - before
  }
}

const results = lanes.map(({ load, sum }): LoadResult => {
  load.close()
  const { requests, seconds, latencies } = sum
  const p50 = quantile(latencies, 0.5)
  return {
    requests,
    seconds,
    cpuSeconds: sum.knowsCpu ? sum.cpu : undefined,
    p50,
    p99: quantile(latencies, 0.99),
  }
})
process.stdout.write(`${JSON.stringify(results)}\n`)
