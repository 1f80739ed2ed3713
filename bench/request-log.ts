import { setTimeout } from 'node:timers/promises'
import { addRate } from './ingest-peers.ts'
import type { Against, Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import type { RunningServer } from './workshop.ts'

/** A framework that the request log is measured on. */
export interface LoggedFramework {
  /** As `peers/request-log.ts` knows it. */
  readonly name: string
  readonly shown: string
  /** Of the rate without a log. */
  readonly aim: string
  /** The loggers of others that it has, as `peers/request-log/<name>.ts` knows them. */
  readonly peers: readonly string[]
}

/** The frameworks, and whom ours is compared with on each. */
export const loggedFrameworks: readonly LoggedFramework[] = [
  {
    name: 'http',
    shown: '`node:http`',
    aim: '≥ 0.60, goal 0.90',
    peers: ['pino-http', 'morgan', 'winston'],
  },
  {
    name: 'express',
    shown: 'Express 5',
    aim: '≥ 0.80, goal 0.90',
    peers: ['pino-http', 'morgan', 'winston', 'evlog', 'logtape'],
  },
  {
    name: 'fastify',
    shown: 'Fastify 5',
    aim: '≥ 0.70, goal 0.90',
    peers: ['pino-http', 'fastify', 'morgan', 'winston', 'evlog'],
  },
]

const peersShown: Record<string, { what: string; aim?: string }> = {
  'pino-http': { what: '`pino-http` as it comes', aim: '≥ 1.2' },
  fastify: { what: 'Fastify’s own, `logger: true`' },
  morgan: { what: '`morgan`, `combined`' },
  winston: { what: '`winston`, a few lines of one’s own' },
  evlog: { what: '`evlog` as it comes' },
  logtape: { what: 'LogTape, JSON lines' },
}

/**
 * The request log on a trivial handler, against none and against those of others: from the start of the processes, and
 * behind a time in which nobody asked for anything. (Decision 71)
 */
export async function requestLog(bench: Bench): Promise<Line[]> {
  const lines: Line[] = []
  for (const framework of loggedFrameworks) lines.push(...(await onFramework(bench, framework)))
  return lines
}

/** Each round has processes of its own: of the same program one may be a tenth faster than the next. */
async function onFramework(bench: Bench, { name, shown, aim, peers }: LoggedFramework): Promise<Line[]> {
  const loggers = ['bare', ...peers, 'deedbox']
  const { rounds, quietSeconds } = bench.scale
  const times = [
    { when: 'from the start', quiet: 0 },
    { when: `behind ${quietSeconds} quiet seconds`, quiet: quietSeconds },
  ].map(time => ({
    ...time,
    measured: new Map(loggers.map((logger): [string, Measured] => [logger, { values: [] }])),
  }))
  for (let round = 1; round <= rounds; round++) {
    const servers: RunningServer[] = []
    for (const logger of loggers)
      servers.push(await bench.workshop.startPeer('request-log.ts', [name, logger]))
    for (const { when, quiet, measured } of times) {
      await setTimeout(quiet * 1_000)
      const rates = await measure(bench, servers, measured)
      bench.say(`request log on ${name}, round ${round}, ${when}: ${rates.join(', ')} requests/s`)
    }
    for (const server of servers) await server.stop()
  }
  return times.map(({ when, measured }) => ({
    what: `request log on ${shown}, a trivial handler, 64 connections, ${when}`,
    unit: 'requests/s',
    measured: measured.get('deedbox')!,
    against: [
      { what: 'no log', peer: measured.get('bare')!, aim },
      ...peers.map((logger): Against => ({ ...peersShown[logger]!, peer: measured.get(logger)! })),
    ],
  }))
}

/** Adds one measurement of each server, all in turns, and returns the rates by who logs. */
async function measure(
  { workshop, scale }: Bench,
  servers: readonly RunningServer[],
  measured: ReadonlyMap<string, Measured>,
): Promise<string[]> {
  const results = await workshop.loadInTurns({
    kind: 'turns',
    targets: servers.map(({ port, pid }) => ({ port, cpuOf: [pid] })),
    connections: 64,
    warmSeconds: scale.warmSeconds,
    seconds: scale.seconds,
  })
  return [...measured].map(([logger, one], at) => {
    addRate(one, results[at]!)
    return `${logger} ${Math.round(one.values.at(-1) ?? 0)}`
  })
}
