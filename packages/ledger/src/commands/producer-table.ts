import type { ProducerView } from '../producers/index.ts'

/** Gaps that a line of the table names; more are counted. */
const gapsShown = 4

/** Producers as a table for people. What a terminal could take for a command is replaced. */
export function producerTable(producers: readonly ProducerView[], now: number): string {
  const heads = ['service', 'state', 'last heard', 'numbers', 'missing', 'host', 'pid', 'producer']
  const lines = [
    heads,
    ...producers.map(producer => [
      producer.service ?? '-',
      producer.state,
      `${span(now - Date.parse(producer.last_at))} ago`,
      String(producer.high_water),
      missingText(producer),
      producer.host ?? '-',
      producer.pid === null ? '-' : String(producer.pid),
      producer.id,
    ]),
  ].map(cells => cells.map(cell => cell.replace(/\p{C}/gu, '?')))
  const widths = heads.map((_, i) => Math.max(...lines.map(cells => cells[i]?.length ?? 0)))
  return lines
    .map(
      cells =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** A sentence on what the table says of all of them. */
export function producerSummary(producers: readonly ProducerView[]): string {
  const count = (state: ProducerView['state']) =>
    producers.filter(producer => producer.state === state).length
  const missing = producers.reduce((sum, producer) => sum + producer.missing, 0)
  const affected = producers.filter(producer => producer.missing > 0).length
  const many = producers.length === 1 ? '1 producer' : `${producers.length} producers`
  const gaps = affected === 0 ? 'no gaps' : `${missing} of their events never came (${affected} with gaps)`
  return `${many}: ${count('live')} live, ${count('silent')} silent, ${count('ended')} ended, ${count('crashed')} crashed; ${gaps}.`
}

function missingText({ missing, gaps, waiting, counted_only_to }: ProducerView): string {
  const shown = gaps.slice(0, gapsShown).map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`))
  if (gaps.length > gapsShown || counted_only_to > 0) shown.push('…')
  const lost = missing === 0 ? '0' : `${missing} (${shown.join(', ')})`
  return waiting === 0 ? lost : `${lost}, ${waiting} waiting`
}

function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
