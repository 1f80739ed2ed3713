import { addRate } from './ingest-peers.ts'
import type { LogCallsResult } from './peers/log-calls.ts'
import type { Against, Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'

/** Seconds of one turn. */
const turnSeconds = 0.25

/** With whom a log call is compared, as `peers/log-calls.ts` knows them. */
const peers: readonly { readonly name: string; readonly what: string; readonly aim?: string }[] = [
  { name: 'pino', what: 'raw `pino`, a child with the id', aim: '≥ 1.0, goal 1.3' },
  { name: 'pino-mixin', what: '`pino`, the id from the context' },
  { name: 'winston', what: '`winston`, JSON on the console' },
  { name: 'logtape', what: 'LogTape, JSON lines' },
  { name: 'evlog', what: '`evlog` as it comes' },
  { name: 'loglayer', what: '`loglayer`, structured, on the console' },
]

/** One log call inside a request, with three fields: ours with and without the source of each call, and those of others. */
export async function logCalls(bench: Bench): Promise<Line[]> {
  const names = ['deedbox-warn', 'deedbox-always', ...peers.map(({ name }) => name)]
  const measured = new Map<string, Measured>(names.map(name => [name, { values: [] }]))
  const running = await Promise.all(names.map(name => bench.workshop.startPeer('log-calls.ts', [name])))
  const { seconds, warmSeconds, rounds } = bench.scale
  const turns = Math.max(1, Math.round(seconds / turnSeconds))
  for (const server of running) await server.ask({ seconds: warmSeconds })
  for (let round = 1; round <= rounds; round++) {
    const sums = names.map(() => ({ requests: 0, seconds: 0, cpuSeconds: 0, p50: 0, p99: 0 }))
    for (let turn = 0; turn < turns; turn++) {
      for (const [at, server] of running.entries()) {
        const result = (await server.ask({ seconds: seconds / turns })) as LogCallsResult
        const sum = sums[at]!
        sum.requests += result.requests
        sum.seconds += result.seconds
        sum.cpuSeconds += result.cpuSeconds
      }
    }
    const rates: string[] = []
    for (const [at, name] of names.entries()) {
      const one = measured.get(name)!
      addRate(one, sums[at]!)
      rates.push(`${name} ${Math.round(one.values.at(-1) ?? 0)}`)
    }
    bench.say(`log calls, round ${round}: ${rates.join(', ')} calls/s`)
  }
  for (const server of running) await server.stop()
  const line = (name: string, what: string, aims: boolean): Line => ({
    what,
    unit: 'calls/s',
    measured: measured.get(name)!,
    against: peers.map(peer => {
      const against: Against = { what: peer.what, peer: measured.get(peer.name)! }
      return aims && peer.aim !== undefined ? { ...against, aim: peer.aim } : against
    }),
  })
  return [
    line('deedbox-warn', "`log.info`, three fields, in a request, `source: 'warn'`", true),
    line('deedbox-always', "the same with `source: 'always'`, as it comes", false),
  ]
}
