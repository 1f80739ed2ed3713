import { addRate } from './ingest-peers.ts'
import type { Line, Measured } from './report.ts'
import type { Bench } from './scenario.ts'
import type { RunningServer } from './workshop.ts'

const frameworks = [
  { name: 'http', shown: '`node:http`', aim: '≥ 0.60, goal 0.90' },
  { name: 'express', shown: 'Express 5', aim: '≥ 0.80, goal 0.90' },
]
const loggers = ['bare', 'pino', 'deedbox']

/** The request log on a trivial handler, against none and against `pino-http` as it comes. */
export async function requestLog(bench: Bench): Promise<Line[]> {
  const lines: Line[] = []
  for (const { name, shown, aim } of frameworks) {
    const servers = new Map<string, RunningServer>()
    const measured = new Map<string, Measured>(loggers.map(logger => [logger, { values: [] }]))
    for (const logger of loggers) {
      servers.set(logger, await bench.workshop.startPeer('request-log.ts', [name, logger]))
    }
    for (let round = 1; round <= bench.scale.rounds; round++) {
      for (const [logger, { port, pid }] of servers) {
        const { seconds, warmSeconds } = bench.scale
        const cpuOf = [pid]
        const result = await bench.workshop.load({
          kind: 'gets',
          port,
          connections: 64,
          cpuOf,
          seconds,
          warmSeconds,
        })
        addRate(measured.get(logger)!, result)
      }
      const rates = [...measured].map(([logger, { values }]) => `${logger} ${Math.round(values.at(-1) ?? 0)}`)
      bench.say(`request log on ${name}, round ${round}: ${rates.join(', ')} requests/s`)
    }
    for (const server of servers.values()) await server.stop()
    lines.push({
      what: `request log on ${shown}, a trivial handler, 64 connections`,
      unit: 'requests/s',
      measured: measured.get('deedbox')!,
      against: [
        { what: 'no log', peer: measured.get('bare')!, aim },
        { what: '`pino-http` as it comes', peer: measured.get('pino')!, aim: '≥ 1.2' },
      ],
    })
  }
  return lines
}
