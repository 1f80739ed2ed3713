import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Ledger, openLedger } from '@deedbox/ledger'
import { eventInput } from './events.ts'

/** Events in one call of `appendBatch`; as many calls are under way as fill the next transaction meanwhile. */
const batchSize = 1_000
const underWay = 2

/** What generating takes from a run; see `Bench`. */
interface Generating {
  workshop: { newFolder(name: string): string }
  scale: { smallLedger: number; largeLedger: number }
  keep: string | undefined
  generated: { small: Promise<GeneratedLedger>; large: Promise<GeneratedLedger> } | undefined
  say(text: string): void
}

/** A ledger full of generated events, laid out as `deedbox serve` has it: `<folder>/data` and `<folder>/guard`. */
export interface GeneratedLedger {
  folder: string
  /** How many events were generated into it so far; the n-th is `eventAt(n)`. */
  events: number
}

/** Opens a generated ledger in this process. */
export function openGenerated({ folder }: GeneratedLedger): Promise<Ledger> {
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  return openLedger(join(data, 'ledger.db'), { keysFolder: join(data, 'keys'), guard: join(folder, 'guard') })
}

/**
 * The small and the large ledger of a run, made when they are first asked for: the large one grows out of a copy of
 * the small one. With `keep` the large one stays for the next run, which then finds it a little larger.
 */
export function generatedLedgers(bench: Generating): {
  small: Promise<GeneratedLedger>
  large: Promise<GeneratedLedger>
} {
  bench.generated ??= make(bench)
  return bench.generated
}

function make(bench: Generating): { small: Promise<GeneratedLedger>; large: Promise<GeneratedLedger> } {
  const { workshop, scale, keep } = bench
  const small = grow(bench, { folder: workshop.newFolder('small'), events: 0 }, scale.smallLedger)
  const large = small.then(async start => {
    const folder =
      keep === undefined ? workshop.newFolder('large') : join(keep, `ledger-${scale.largeLedger}`)
    if (existsSync(join(folder, 'data', 'ledger.db'))) {
      const ledger = { folder, events: 0 }
      const open = await openGenerated(ledger)
      ledger.events = open.head().size
      await open.close()
      return grow(bench, ledger, scale.largeLedger)
    }
    cpSync(start.folder, folder, { recursive: true })
    return grow(bench, { folder, events: start.events }, scale.largeLedger)
  })
  // Whoever asks for the other one hears of a failure; this only keeps it from counting as unhandled.
  large.catch(() => undefined)
  return { small, large }
}

async function grow(bench: Generating, ledger: GeneratedLedger, to: number): Promise<GeneratedLedger> {
  if (ledger.events >= to) return ledger
  const open = await openGenerated(ledger)
  const step = Math.max(batchSize, Math.round(to / 10))
  while (ledger.events < to) {
    const seconds = await appendGenerated(open, ledger, Math.min(step, to - ledger.events))
    bench.say(`generating: ${ledger.events} of ${to} events, the last ones in ${seconds.toFixed(1)} s`)
  }
  await open.close()
  return ledger
}

/**
 * Appends so many more generated events, durably, and resolves to the seconds that took.
 *
 * @throws Error when one of them was refused
 */
export async function appendGenerated(open: Ledger, ledger: GeneratedLedger, count: number): Promise<number> {
  const started = performance.now()
  const end = ledger.events + count
  const next = async (): Promise<void> => {
    while (ledger.events < end) {
      const from = ledger.events
      ledger.events = Math.min(end, from + batchSize)
      const events = Array.from({ length: ledger.events - from }, (_, i) => eventInput(from + i))
      const refused = (await open.appendBatch(events)).find(result => !result.ok)
      if (refused?.ok === false) throw new Error(`A generated event was refused: ${refused.message}`)
    }
  }
  await Promise.all(Array.from({ length: underWay }, next))
  return (performance.now() - started) / 1000
}
