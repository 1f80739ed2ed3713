import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Machine } from './machine.ts'
import { type Line, numberText, table } from './report.ts'
import type { Scale } from './scenario.ts'

/** One run of all scenarios. */
export interface Run {
  /** ISO 8601. */
  at: string
  machine: Machine
  /** Whether the load generator had a core for itself. */
  pinned: boolean
  scale: Scale
  /** Settings that were read back, by whose they are. */
  settings: Record<string, Record<string, unknown>>
  lines: Line[]
}

const folder = join(import.meta.dirname, 'results')
const readme = resolve(import.meta.dirname, '../README.md')
const [begin, end] = ['<!-- figures: written by npm run bench -- --readme -->\n', '<!-- end of figures -->']

/** The run as Markdown: the table, and below it what it was measured on. */
export function runText(run: Run): string {
  const { machine, scale } = run
  const { median, p99 } = machine.fdatasync
  const pins = run.pinned ? 'the load generator pinned to one core' : 'the load generator not pinned'
  const settings = Object.entries(run.settings).map(
    ([whose, values]) =>
      `Settings read back, ${whose}: ${Object.entries(values)
        .map(([name, value]) => `\`${name}=${value}\``)
        .join(', ')}.`,
  )
  const peers = Object.entries(machine.peers).map(([name, version]) => `${name} ${version}`)
  return [
    table(run.lines),
    '',
    `Measured on ${run.at.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ` +
      `${machine.system}, ${machine.fileSystem}; an fdatasync of 4 KiB took ${numberText(median)} ms there ` +
      `(99 of 100 up to ${numberText(p99)} ms). Node ${machine.node}, SQLite ${machine.sqlite}, ${peers.join(', ')}. ` +
      `Rounds, each in turn with its peers: ${scale.rounds}; ${pins}. Load average before it: ${numberText(machine.loadBefore)}.`,
    ...settings.flatMap(text => ['', text]),
    '',
  ].join('\n')
}

/** Writes `results/<date>.json` and `results/latest.md`. */
export function saveRun(run: Run): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${run.at.slice(0, 10)}.json`), `${JSON.stringify(run, undefined, 2)}\n`)
  writeFileSync(join(folder, 'latest.md'), runText(run))
}

/** The README's section of figures: what stands between its two marks. */
export function figuresOf(text: string): string {
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from)
    throw new Error('The README has no place for figures: its two marks are not there.')
  return text.slice(from + begin.length, to)
}

/** Puts `results/latest.md` between the marks of the README. */
export function showInReadme(): void {
  const text = readFileSync(readme, 'utf8')
  const latest = readFileSync(join(folder, 'latest.md'), 'utf8')
  writeFileSync(
    readme,
    text.replace(`${begin}${figuresOf(text)}${end}`, () => `${begin}${latest}${end}`),
  )
}
