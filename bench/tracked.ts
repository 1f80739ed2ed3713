import type { TrackedWork } from './peers/tracked.ts'
import type { Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import type { RunningServer } from './workshop.ts'

/** What is on, as `peers/tracked.ts` knows it. */
const setups = ['bare', 'pino-http', 'log', 'sqlite', 'sink', 'everything'] as const

/**
 * What tracked variables cost a service on `node:http`. What is delivered when a round is over counts into its CPU time,
 * which is the service's own: ledger and chest are sinks in a process of their own.
 */
export async function tracked(bench: Bench): Promise<Line[]> {
  const { workshop, scale, say } = bench
  const sink = await workshop.startPeer('loopback-sink.ts')
  const measured = new Map<string, Measured>()
  const servers = new Map<string, RunningServer>()
  for (const setup of setups) {
    measured.set(setup, { values: [], cpu: [] })
    const args = [setup, String(sink.port), workshop.newFolder('tracked')]
    servers.set(setup, await workshop.startPeer('tracked.ts', args))
  }
  const lost = new Map<string, number>()
  for (let round = 1; round <= scale.rounds; round++) {
    const rates: string[] = []
    for (const [setup, server] of servers) {
      const { values, cpu } = measured.get(setup)!
      const before = (await server.ask({})) as TrackedWork
      const [result] = await workshop.loadInTurns({
        kind: 'turns',
        targets: [{ port: server.port, cpuOf: [server.pid] }],
        connections: 64,
        warmSeconds: scale.warmSeconds,
        seconds: scale.seconds,
      })
      const after = (await server.ask({})) as TrackedWork
      values.push(result!.requests / result!.seconds)
      cpu?.push((after.cpuSeconds - before.cpuSeconds) / (after.requests - before.requests))
      lost.set(setup, after.dropped)
      rates.push(`${setup} ${Math.round(values.at(-1) ?? 0)}`)
    }
    say(`tracked variables, round ${round}: ${rates.join(', ')} requests/s`)
  }
  for (const server of servers.values()) await server.stop()
  await sink.stop()
  bench.settings.set('requests whose variables or events found no room', Object.fromEntries(lost))
  const line = (what: string, setup: string, against: Line['against']): Line => ({
    what,
    unit: 'requests/s',
    measured: measured.get(setup)!,
    against: against ?? [],
  })
  const peer = (setup: string): Measured => measured.get(setup)!
  return [
    line('request log and three tracked variables into SQLite', 'sqlite', [
      { what: 'the same without a chest', peer: peer('log') },
      { what: 'no log', peer: peer('bare') },
    ]),
    line('request log and three tracked variables, the chest a sink on loopback', 'sink', [
      { what: 'the same without a chest', peer: peer('log') },
      { what: 'no log', peer: peer('bare') },
    ]),
    line(
      'request log, audit event and three tracked variables, ledger and chest sinks on loopback',
      'everything',
      [{ what: '`pino-http` alone', peer: peer('pino-http'), aim: '≥ 1.0 by CPU time, goal 1.2' }],
    ),
  ]
}
