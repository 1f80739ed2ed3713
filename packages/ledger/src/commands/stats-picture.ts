import { type FacetField, type Interval, intervals } from '../search/index.ts'
import { bar, type Colour, cellsOf, fitted, grouped, type Paint, printable } from './terminal-text.ts'

/** What `deedbox stats` found: its JSON object. */
export interface Stats {
  /** A folder or an address. */
  place: string
  origin: string | null
  /** Leaves of the ledger. */
  size: number
  /** ISO 8601 in UTC, as the other times. */
  first_at: string | null
  newest_at: string | null
  /** The database and its log. */
  file_bytes: number | null
  api_keys: number | null
  /** The newest public checkpoint, and when the newest entry that it covers was recorded. */
  checkpoint: { size: number; covers_until: string | null } | null
  guard: { good: boolean; says: string } | null
  /** Events that fit the filters; exact for the indices `[from, to)`. */
  counted: number
  from: number
  to: number
  /** Whether these are all indices that were asked for. */
  complete: boolean
  interval: Interval
  buckets: { from: string; count: number; by_type: Record<string, number> }[]
  facets: {
    field: FacetField
    values: { value: string; count: number }[]
    different: number
    complete: boolean
    from: number
  }[]
}

/** Bars of time that are drawn at most: the newest. */
const mostBars = 24

const typeColours: Readonly<Record<string, Colour>> = {
  error: 'red',
  warning: 'yellow',
  success: 'green',
  info: 'cyan',
}

/** The ledger as a picture for a terminal `width` cells wide. */
export function statsPicture(
  stats: Stats,
  { width, paint, now }: { width: number; paint: Paint; now: number },
): string {
  const lines = facts(stats, paint, now)
  if (stats.buckets.length > 0) lines.push('', ...timeBars(stats, width, paint))
  for (const facet of stats.facets) {
    if (facet.values.length > 0) lines.push('', ...facetBars(facet, stats.counted, width, paint))
  }
  if (!stats.complete) {
    lines.push(
      '',
      paint(
        'yellow',
        `Counted from index ${grouped(stats.from)} on: what is older was left out. --since and --until choose a part.`,
      ),
    )
  }
  return `${lines.join('\n')}\n`
}

function facts(stats: Stats, paint: Paint, now: number): string[] {
  const { size, first_at, newest_at, file_bytes, api_keys, checkpoint, guard } = stats
  const line = (name: string, value: string) => `${paint('dim', name.padEnd(12))} ${value}`
  const lines = [
    line('ledger', printable(stats.origin ?? stats.place)),
    ...(stats.origin === null ? [] : [line('at', printable(stats.place))]),
    line('size', `${grouped(size)} ${size === 1 ? 'entry' : 'entries'}`),
  ]
  if (first_at !== null) lines.push(line('first', `${moment(first_at)}  ${ago(first_at, now)}`))
  if (newest_at !== null) lines.push(line('newest', `${moment(newest_at)}  ${ago(newest_at, now)}`))
  if (file_bytes !== null) lines.push(line('file', bytes(file_bytes)))
  if (checkpoint !== null) {
    const { covers_until } = checkpoint
    const age = covers_until === null ? '' : `, recorded until ${ago(covers_until, now)}`
    const behind = size - checkpoint.size
    const rest = behind > 0 ? `, ${grouped(behind)} behind` : ''
    lines.push(line('checkpoint', `public at ${grouped(checkpoint.size)}${rest}${age}`))
  }
  if (api_keys !== null) lines.push(line('API keys', grouped(api_keys)))
  if (guard !== null) {
    lines.push(line('guard', guard.good ? guard.says : paint('yellow', guard.says)))
  }
  return lines
}

function timeBars({ buckets, interval, counted }: Stats, width: number, paint: Paint): string[] {
  const shown = withGaps(buckets, interval).slice(-mostBars)
  const most = Math.max(...shown.map(({ count }) => count))
  const digits = grouped(most).length
  const label = interval === 'day' ? 10 : 16
  const notes = shown.map(({ by_type }) => errorsIn(by_type))
  const longest = Math.max(...notes.map(note => note.length))
  const room = roomFor(width - label - digits - longest - 6)
  const drawn = shown.reduce((sum, { count }) => sum + count, 0)
  const part = drawn === counted ? '' : `, the newest ${shown.length}`
  return [
    paint('bold', `Events per ${interval} (UTC)${part}`),
    ...shown.map(({ from, count }, i) => {
      const time = paint('dim', from.slice(0, label).replace('T', ' '))
      const drawing = paint('cyan', bar(count, most, room))
      return `${time}  ${grouped(count).padStart(digits)}  ${drawing}  ${paint('red', notes[i] ?? '')}`.trimEnd()
    }),
  ]
}

function errorsIn({ error = 0 }: Record<string, number>): string {
  return error === 0 ? '' : `${grouped(error)} ${error === 1 ? 'error' : 'errors'}`
}

/** Cells for a bar: longer ones are no easier to compare. */
function roomFor(cells: number): number {
  return Math.max(8, Math.min(48, cells))
}

/** The histogram leaves out what holds nothing; a picture of time may not. */
function withGaps(buckets: Stats['buckets'], interval: Interval): Stats['buckets'] {
  const byStart = new Map(buckets.map(bucket => [Date.parse(bucket.from), bucket]))
  const last = Date.parse(buckets.at(-1)?.from ?? '')
  const first = Math.max(Date.parse(buckets[0]?.from ?? ''), last - (mostBars - 1) * intervals[interval])
  const filled: Stats['buckets'] = []
  for (let start = first; start <= last; start += intervals[interval]) {
    filled.push(byStart.get(start) ?? { from: new Date(start).toISOString(), count: 0, by_type: {} })
  }
  return filled
}

const titles: Readonly<Record<string, string>> = {
  event_name: 'Event names',
  service: 'Services',
  type: 'Types',
}

function facetBars(
  { field, values, different }: Stats['facets'][number],
  counted: number,
  width: number,
  paint: Paint,
): string[] {
  const texts = values.map(({ value }) => printable(value))
  const label = Math.min(Math.max(...texts.map(cellsOf)), Math.floor(width * 0.45))
  const digits = Math.max(...values.map(({ count }) => grouped(count).length))
  const room = roomFor(width - label - digits - 12)
  const most = values[0]?.count ?? 0
  const more = different > values.length ? `, ${values.length} of ${grouped(different)}` : ''
  return [
    paint('bold', `${titles[field] ?? field}${more}`),
    ...values.map(({ value, count }, i) => {
      const share = `${((100 * count) / Math.max(1, counted)).toFixed(count < counted ? 1 : 0)} %`
      const colour = field === 'type' ? (typeColours[value] ?? 'cyan') : 'cyan'
      const drawing = paint(colour, bar(count, most, room))
      return `${fitted(texts[i] ?? '', label)}  ${grouped(count).padStart(digits)} ${share.padStart(7)} ${drawing}`.trimEnd()
    }),
  ]
}

function moment(at: string): string {
  return `${at.slice(0, 19).replace('T', ' ')} UTC`
}

const units: readonly [name: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]

function ago(at: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1_000)
  const [name, length] = units.find(([, length]) => seconds >= length) ?? ['second', 1]
  const count = Math.floor(seconds / length)
  return count === 0 ? 'just now' : `${grouped(count)} ${name}${count === 1 ? '' : 's'} ago`
}

function bytes(count: number): string {
  const step = Math.min(3, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)))
  return `${(count / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${['bytes', 'KiB', 'MiB', 'GiB'][step]}`
}
