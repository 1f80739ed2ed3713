import { generatedLedgers } from './generated-ledger.ts'
import { get } from './http-reads.ts'
import { residentMemory } from './process-facts.ts'
import { type Line, numberText } from './report.ts'
import type { Bench } from './scenario.ts'

/** How long `deedbox serve` takes until it answers: the first time, later, and on a large ledger. */
export async function start(bench: Bench): Promise<Line[]> {
  const { workshop, scale, say } = bench
  const large = await generatedLedgers(bench).large
  const [first, later, onLarge, memory]: number[][] = [[], [], [], []]
  for (let round = 1; round <= scale.rounds; round++) {
    const folder = workshop.newFolder('start')
    for (const [at, times] of [
      [folder, first],
      [folder, later],
      [large.folder, onLarge],
    ] as const) {
      const started = performance.now()
      const server = await workshop.startLedger(at)
      await get(server.port, '/__lbheartbeat__')
      times!.push(performance.now() - started)
      const idle = residentMemory(server.pid)
      if (idle !== undefined && times === onLarge) memory!.push(idle.now)
      await server.stop()
    }
    say(
      `start, round ${round}: ${[first, later, onLarge].map(times => Math.round(times!.at(-1)!)).join(', ')} ms`,
    )
  }
  const size = numberText(large.events)
  const lines: Line[] = [
    {
      what: '`deedbox serve` until it answers: the first start, which makes ledger and key',
      unit: 'ms',
      measured: { values: first! },
      aim: '≤ 1,000, goal 300',
    },
    { what: 'a later start', unit: 'ms', measured: { values: later! }, aim: '≤ 1,000, goal 300' },
    {
      what: `a start on ${size} events`,
      unit: 'ms',
      measured: { values: onLarge! },
      aim: '≤ 1,000, goal 300',
    },
  ]
  if (memory!.length > 0) {
    lines.push({ what: 'resident memory after it', unit: 'MiB', measured: { values: memory! } })
  }
  return lines
}
