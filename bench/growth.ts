import { actorOf, eventNameOf, serviceOf } from './events.ts'
import { appendGenerated, generatedLedgers, openGenerated } from './generated-ledger.ts'
import { get, samples } from './http-reads.ts'
import { type Line, type Measured, numberText } from './report.ts'
import type { Bench } from './scenario.ts'
import { quantile } from './statistics.ts'

/** Whether a large ledger is as fast as a small one: appending to both in turn, and searching the large one. */
export async function growth(bench: Bench): Promise<Line[]> {
  const ledgers = generatedLedgers(bench)
  const [small, large] = [await ledgers.small, await ledgers.large]
  const sizes = { small: numberOf(small.events), large: numberOf(large.events) }
  const [openSmall, openLarge] = [await openGenerated(small), await openGenerated(large)]
  const [slow, fast]: Measured[] = [
    { values: [], cpu: [] },
    { values: [], cpu: [] },
  ]
  const append = async (open: typeof openSmall, ledger: typeof small, measured: Measured): Promise<void> => {
    const { growthEvents } = bench.scale
    const before = process.cpuUsage()
    const seconds = await appendGenerated(open, ledger, growthEvents)
    const { user, system } = process.cpuUsage(before)
    measured.values.push(growthEvents / seconds)
    measured.cpu?.push((user + system) / 1e6 / growthEvents)
  }
  // One round each that does not count: caches and compiled code.
  await append(openSmall, small, { values: [] })
  await append(openLarge, large, { values: [] })
  for (let round = 1; round <= bench.scale.rounds; round++) {
    await append(openSmall, small, fast!)
    await append(openLarge, large, slow!)
    bench.say(`growth, round ${round}: ${rate(fast)} and ${rate(slow)} events/s`)
  }
  await openSmall.close()
  await openLarge.close()
  return [
    {
      what: `batches of 1,000 in-process, into ${sizes.large} events`,
      unit: 'events/s',
      measured: slow!,
      against: [{ what: `into ${sizes.small} events`, peer: fast!, aim: '≥ 0.9 (10 M to 100 k)' }],
    },
    ...(await searches(bench, large.folder, sizes.large)),
  ]
}

function rate(measured: Measured | undefined): number {
  return Math.round(measured?.values.at(-1) ?? 0)
}

function numberOf(events: number): string {
  return numberText(events)
}

/** Queries that people make, over and over with other values; each as the query string of `GET /v1/events`. */
const kinds: Record<string, (n: number, sample: { request_id: string; at: string }) => string> = {
  'by request id': (_, { request_id }) => `request_id=${request_id}`,
  'by actor': n => `actor=${actorOf(n)}`,
  'by actor and type, where few match': n => `actor=${actorOf(n)}&type=error`,
  'by actor, a time range': (n, { at }) => `actor=${actorOf(n)}&until=${at}`,
  'by event name': n => `event_name=${eventNameOf(n)}`,
  'by event name and service': n => `event_name=${eventNameOf(n)}&service=${serviceOf(n)}`,
  'by type, since a time': (_, { at }) => `type=error&since=${at}&order=asc`,
  'by service, a time range': (n, { at }) => `service=${serviceOf(n)}&until=${at}`,
  'the newest': () => 'limit=50',
}

async function searches(bench: Bench, folder: string, size: string): Promise<Line[]> {
  const server = await bench.workshop.startLedger(folder)
  const [p50, p95, worst]: number[][] = [[], [], []]
  const slowest = new Map<string, number[]>()
  const found = await samples(server.port, Math.ceil(bench.scale.reads / 10))
  for (let round = 0; round <= bench.scale.rounds; round++) {
    const all: number[] = []
    for (const [kind, query] of Object.entries(kinds)) {
      const times: number[] = []
      for (const [n, sample] of found.entries()) {
        const path = `/v1/events?${query(n * 101, sample)}`
        const first = await get(server.port, path)
        times.push(first.milliseconds)
        // The second page, when there is one.
        const cursor = /"next_cursor":"(\d+)"/.exec(first.text)?.[1]
        if (cursor !== undefined)
          times.push((await get(server.port, `${path}&cursor=${cursor}`)).milliseconds)
      }
      // The first round warms up.
      if (round > 0) slowest.set(kind, [...(slowest.get(kind) ?? []), quantile(times, 0.95)])
      all.push(...times)
    }
    if (round === 0) continue
    p50!.push(quantile(all, 0.5))
    p95!.push(quantile(all, 0.95))
  }
  await server.stop()
  const [kind, values] = [...slowest].sort(([, a], [, b]) => quantile(b, 0.5) - quantile(a, 0.5))[0]!
  worst!.push(...values)
  bench.say(`searches: p95 ${p95!.map(value => value.toFixed(1)).join(', ')} ms; slowest kind: ${kind}`)
  const what = `search over HTTP in ${size} events, ${Object.keys(kinds).length} kinds of query`
  return [
    { what: `${what}: median`, unit: 'ms', measured: { values: p50! } },
    { what: 'the same: 95 of 100 answered within', unit: 'ms', measured: { values: p95! }, aim: '≤ 50' },
    { what: `the slowest kind, ${kind}: 95 of 100`, unit: 'ms', measured: { values: worst! } },
  ]
}
