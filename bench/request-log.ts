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

/** The request log on a trivial handler, against none and against those of others. */
export async function requestLog(bench: Bench): Promise<Line[]> {
  const lines: Line[] = []
  for (const framework of loggedFrameworks) lines.push(await onFramework(bench, framework))
  return lines
}

/** Each round has processes of its own: of the same program one may be a tenth faster than the next. */
async function onFramework(bench: Bench, { name, shown, aim, peers }: LoggedFramework): Promise<Line> {
  const loggers = ['bare', ...peers, 'deedbox']
  const measured = new Map<string, Measured>(loggers.map(logger => [logger, { values: [] }]))
  const { rounds, seconds, warmSeconds } = bench.scale
  for (let round = 1; round <= rounds; round++) {
    const servers: RunningServer[] = []
    for (const logger of loggers)
      servers.push(await bench.workshop.startPeer('request-log.ts', [name, logger]))
    const targets = servers.map(({ port, pid }) => ({ port, cpuOf: [pid] }))
    const job = { kind: 'turns', targets, connections: 64, warmSeconds, seconds } as const
    const results = await bench.workshop.loadInTurns(job)
    const rates: string[] = []
    for (const [at, [logger, one]] of [...measured].entries()) {
      addRate(one, results[at]!)
      rates.push(`${logger} ${Math.round(one.values.at(-1) ?? 0)}`)
    }
    bench.say(`request log on ${name}, round ${round}: ${rates.join(', ')} requests/s`)
    for (const server of servers) await server.stop()
  }
  return {
    what: `request log on ${shown}, a trivial handler, 64 connections`,
    unit: 'requests/s',
    measured: measured.get('deedbox')!,
    against: [
      { what: 'no log', peer: measured.get('bare')!, aim },
      ...peers.map((logger): Against => ({ ...peersShown[logger]!, peer: measured.get(logger)! })),
    ],
  }
}
