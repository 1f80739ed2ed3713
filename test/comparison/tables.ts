import type { Cell } from './cell.ts'
import type { MeasuredRow } from './measure.ts'
import { scenarios } from './scenarios.ts'

/** Letters, so that they are nobody's numbers. */
const noteMarks = ['ᵃ', 'ᵇ', 'ᶜ', 'ᵈ', 'ᵉ', 'ᶠ', 'ᵍ', 'ʰ']

/** The whole table: every cell with its mark and what was written; the notes below it. */
export function wholeTable(measured: readonly MeasuredRow[]): string {
  return table(measured, ({ right, text }) => `${right ? '✓' : '✗'} ${text}`)
}

/** The table in short: only what is not right says what was written. */
export function shortTable(measured: readonly MeasuredRow[]): string {
  return table(measured, ({ right, text }) => (right ? '✓' : `✗ ${text}`))
}

function table(measured: readonly MeasuredRow[], show: (cell: Cell) => string): string {
  const marks = [...noteMarks]
  const notes: string[] = []
  const body = measured.map(({ row, cells, withStep }) => {
    const changed = scenarios.flatMap((scenario, at) => {
      const [without, step] = [cells[at]!, withStep?.[at]]
      return step === undefined || show(step) === show(without) ? [] : [{ scenario, step }]
    })
    const mark = changed.length === 0 ? '' : marks.shift()
    if (changed.length > 0) {
      const said = changed.map(({ scenario, step }) => `“${scenario.title}” is ${show(step)}`)
      notes.push(`${mark} ${row.library} ${row.step?.what}: ${said.join('; ')}.`)
    }
    const shown = cells.map((cell, at) =>
      changed.some(({ scenario }) => scenario === scenarios[at]) ? show(cell) + mark : show(cell),
    )
    return [`${row.library}, ${row.framework}`, ...shown]
  })
  const head = ['', ...scenarios.map(({ title }) => title)]
  const lines = [head, head.map(() => '---'), ...body].map(cells => `| ${cells.join(' | ')} |`)
  return [lines.join('\n'), ...notes].join('\n\n')
}

/** What stands between two marks of a page, `<!-- name: … -->` and `<!-- end of name -->`. */
export function sectionOf(page: string, name: string): string {
  return cut(page, name).inside.trim()
}

/** The page with something else between these marks. */
export function withSection(page: string, name: string, text: string): string {
  const { before, after } = cut(page, name)
  return `${before}\n${text}\n${after}`
}

function cut(page: string, name: string): Record<'before' | 'inside' | 'after', string> {
  const parts = new RegExp(`^([^]*<!-- ${name}: [^>]*-->)\\n([^]*?)(<!-- end of ${name} -->[^]*)$`).exec(page)
  const [, before, inside, after] = parts ?? []
  if (before === undefined || inside === undefined || after === undefined) {
    throw new Error(`The page has no place for "${name}": its two marks are not there.`)
  }
  return { before, inside, after }
}
