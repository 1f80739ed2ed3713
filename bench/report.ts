import { pairedRatios, quantile, spread } from './statistics.ts'

/** What one side of a comparison did, round by round. */
export interface Measured {
  /** In the unit of the line; more is better unless the line says otherwise. */
  values: number[]
  /** CPU seconds of the server for one request, event or row; undefined where the system does not tell. */
  cpu?: (number | undefined)[]
}

/** One comparison of a line. */
export interface Against {
  /** With whom. */
  what: string
  /** The other side, or why it could not be measured. */
  peer: Measured | { missing: string }
  /** The ratio that is aimed at, such as `≥ 0.35`. */
  aim?: string
}

/** One thing that was measured. */
export interface Line {
  what: string
  /** Stands behind the number: `events/s`, `ms`. */
  unit: string
  measured: Measured
  /** What the figure itself is aimed at, such as `≥ 25,000`. */
  aim?: string
  against?: Against[]
}

/** The ratios of a comparison: by what was measured, and by CPU time. Above 1 is better than the peer. */
export interface Ratios {
  measured: number[]
  /** What the peer's CPU time for one request is of ours; empty where it is not known. */
  cpu: number[]
}

/** Pairs the rounds of both sides. */
export function ratiosOf(ours: Measured, theirs: Measured): Ratios {
  const known = (values: Measured['cpu']) => values?.filter(value => value !== undefined && value > 0) ?? []
  const [own, other] = [known(ours.cpu) as number[], known(theirs.cpu) as number[]]
  const complete = own.length === ours.values.length && other.length === theirs.values.length
  return {
    measured: pairedRatios(ours.values, theirs.values),
    cpu: complete ? pairedRatios(other, own) : [],
  }
}

const head = [
  '| what | figure: median (lowest–highest) | against | ratio: median (lowest–highest) | ratio by CPU time | aim |',
  '| --- | --- | --- | --- | --- | --- |',
]

/** The lines as a table in Markdown: a row for each comparison, and one for a line that has none. */
export function table(lines: readonly Line[]): string {
  return [...head, ...lines.flatMap(rowsOf)].join('\n')
}

function rowsOf(line: Line): string[] {
  const figure = `${spreadText(line.measured.values)} ${line.unit}`
  const against = (line.against ?? []).map(({ what, peer, aim }) => {
    if ('missing' in peer) return [what, `not measured: ${peer.missing}`, '', aim]
    const { measured, cpu } = ratiosOf(line.measured, peer)
    const other = `${what}: ${numberText(quantile(peer.values, 0.5))}`
    return [other, ratioText(measured), cpu.length === 0 ? '' : ratioText(cpu), aim]
  })
  // A figure that is aimed at has a row of its own, so that each row has one aim.
  if (line.aim !== undefined || against.length === 0) against.unshift(['', '', '', line.aim])
  return against.map((cells, at) => row(...(at === 0 ? [line.what, figure] : ['', '']), ...cells))
}

function row(...cells: (string | undefined)[]): string {
  return `| ${cells.map(cell => (cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`
}

/** `1,234 (1,200–1,300)`, and the number alone where there was one round only. */
export function spreadText(values: readonly number[]): string {
  return withRange(values, numberText)
}

/** `0.61 × (0.58–0.63)`. */
export function ratioText(ratios: readonly number[]): string {
  return withRange(ratios, value => value.toFixed(value < 10 ? 2 : 1)).replace(/^\S+/, '$& ×')
}

function withRange(values: readonly number[], text: (value: number) => string): string {
  const { median, lowest, highest } = spread(values)
  return values.length < 2 ? text(median) : `${text(median)} (${text(lowest)}–${text(highest)})`
}

/** A number as a person reads it: three significant digits or so, thousands set apart. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
