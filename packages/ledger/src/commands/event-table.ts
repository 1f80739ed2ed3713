import type { StoredEvent } from '../stored-event.ts'
import { type Colour, cellsOf, fitted, type Paint, printable } from './terminal-text.ts'

interface Column {
  head: string
  /** Columns with the highest number go first when the terminal is narrow. */
  rank: number
  /** Cells below which the column is left out, and beyond which it does not grow. */
  least: number
  most: number
  text: (event: StoredEvent) => string
}

const columns: readonly Column[] = [
  { head: 'time (UTC)', rank: 0, least: 19, most: 19, text: ({ at }) => at.slice(0, 19).replace('T', ' ') },
  { head: 'type', rank: 0, least: 7, most: 7, text: ({ meta }) => shown(meta.type) },
  { head: 'event', rank: 0, least: 12, most: 48, text: ({ meta }) => shown(meta.event_name) },
  { head: 'actor', rank: 1, least: 8, most: 24, text: ({ meta }) => shown(meta.actor?.id) },
  { head: 'outcome', rank: 2, least: 7, most: 12, text: ({ meta }) => shown(meta.outcome) },
  { head: 'request id', rank: 4, least: 10, most: 36, text: ({ request_id }) => shown(request_id) },
  { head: 'tx_id', rank: 3, least: 27, most: 27, text: ({ tx_id }) => tx_id },
]

const gap = 2

const colours: Readonly<Record<string, Colour>> = {
  error: 'red',
  warning: 'yellow',
  success: 'green',
  info: 'cyan',
}

/**
 * A table of events that fits a terminal's width. The first lot decides how wide the columns are; later ones of the
 * same table keep to it.
 */
export class EventTable {
  readonly #width: number
  readonly #paint: Paint
  readonly #goesOn: boolean
  #columns: { column: Column; width: number }[] | undefined

  /** @param goesOn whether more events come later, whose content nobody knows yet: then all room is given away */
  constructor(width: number, paint: Paint, goesOn: boolean) {
    this.#width = width
    this.#paint = paint
    this.#goesOn = goesOn
  }

  /** The lines of these events, before the first one the head. */
  lines(events: readonly StoredEvent[]): string {
    let text = ''
    if (this.#columns === undefined) {
      this.#columns = layOut(events, this.#width, this.#goesOn)
      const head = this.#columns.map(({ column, width }) => fitted(column.head, width)).join('  ')
      text += `${this.#paint('dim', head.trimEnd())}\n`
    }
    for (const event of events) {
      const cells = this.#columns.map(({ column, width }) => {
        const cell = fitted(column.text(event), width)
        const colour = column.head === 'type' ? colours[event.meta.type ?? ''] : undefined
        return colour === undefined ? cell : this.#paint(colour, cell)
      })
      text += `${cells.join('  ').trimEnd()}\n`
    }
    return text
  }
}

/** Leaves columns out until the rest fits at its least, then shares the room that remains by what the content needs. */
function layOut(
  events: readonly StoredEvent[],
  width: number,
  goesOn: boolean,
): { column: Column; width: number }[] {
  let chosen = [...columns]
  const least = () => chosen.reduce((sum, column) => sum + column.least + gap, -gap)
  while (least() > width && chosen.some(column => column.rank > 0)) {
    const rank = Math.max(...chosen.map(column => column.rank))
    chosen = chosen.filter(column => column.rank !== rank)
  }
  let room = width - least()
  const laidOut = chosen.map(column => ({ column, width: column.least }))
  const byRank = laidOut.toSorted((a, b) => a.column.rank - b.column.rank)
  const grow = (item: (typeof laidOut)[number], wanted: number) => {
    const more = Math.max(0, Math.min(room, wanted - item.width))
    item.width += more
    room -= more
  }
  for (const item of byRank) {
    const { head, most, text } = item.column
    grow(item, Math.min(most, Math.max(head.length, ...events.map(event => cellsOf(text(event))))))
  }
  while (goesOn && room > 0 && byRank.some(item => item.width < item.column.most)) {
    for (const item of byRank) grow(item, Math.min(item.column.most, item.width + 1))
  }
  return laidOut
}

function shown(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '-'
}
