import { storedObject, valueText } from './chest-view.ts'
import type { RequestFacts } from './log-entry.ts'
import { type JsonObject, lookUp } from './log-shapes.ts'
import { entryText, millisecondsText, type Paint, printable, requestText } from './log-text.ts'
import { instantOf, timeText } from './log-times.ts'
import type { TraceItem } from './trace-sources.ts'

/** A request as all its sources together know it. */
export interface Trace {
  readonly requestId: string
  /** Milliseconds since 1970 at which it began; `undefined` when nothing says a time. */
  readonly start: number | undefined
  readonly request: RequestFacts | undefined
  /** In time order. */
  readonly items: readonly TraceItem[]
}

/** Puts the items of all sources in time order, and finds out when the request began. */
export function joined(requestId: string, found: readonly TraceItem[]): Trace {
  const items = found.toSorted(
    (a, b) => (a.at ?? Number.POSITIVE_INFINITY) - (b.at ?? Number.POSITIVE_INFINITY) || 0,
  )
  const first = items[0]?.at
  let began: number | undefined
  let request: RequestFacts | undefined
  for (const item of items) {
    const facts = item.from === 'log' ? item.entry.request : undefined
    if (facts === undefined || item.at === undefined) continue
    // The line of a request is written at its end and says how long it took. Of several services the outermost counts.
    const start = item.at - facts.seconds * 1000
    if (began !== undefined && start >= began) continue
    began = start
    request = facts
  }
  const start = first === undefined || began === undefined ? first : Math.min(first, began)
  return { requestId, start, request, items }
}

/** Cells of the line on which each item has its place. */
const axis = 20

/** Characters of a variable's value that a trace for people shows. */
const longestValue = 200

/** A trace for people: what the request was, then each item with its place on the request's time. */
export function traceText({ requestId, start, request, items }: Trace, paint: Paint): string {
  const end = items.findLast(({ at }) => at !== undefined)?.at
  const whole = start === undefined || end === undefined ? 0 : end - start
  // What comes long after the request does not press its own lines together.
  const span = request === undefined ? whole : request.seconds * 1000
  let text = paint('bold', printable(requestId))
  if (request !== undefined) text += ` ${requestText(request, paint)}`
  if (start !== undefined) text += paint('dim', ` began ${timeText(start)} UTC`)
  text += '\n\n'
  for (const item of items) {
    const offset = item.at === undefined || start === undefined ? undefined : item.at - start
    const time = offset === undefined ? '-' : `${offset.toFixed(1)} ms`
    const head = `${time.padStart(12)} ${paint('dim', placed(offset, span))} ${item.from.padEnd(6)} `
    text += head + bodyText(item, start, paint)
  }
  return text
}

/** A trace for programs: one JSON object for each item. */
export function traceLines({ start, items }: Trace): string {
  return items
    .map(item => {
      const place = {
        from: item.from,
        at: item.at === undefined ? null : new Date(item.at).toISOString(),
        offset_ms:
          item.at === undefined || start === undefined ? null : Math.round((item.at - start) * 1000) / 1000,
      }
      return `${JSON.stringify({ ...place, ...objectIn(item) })}\n`
    })
    .join('')
}

function objectIn(item: TraceItem): JsonObject {
  switch (item.from) {
    case 'log':
      return { line: item.entry.object }
    case 'ledger':
      return { event: item.event }
    case 'chest':
      return { chest: item.chest, entry: storedObject(item.row) }
  }
}

function placed(offset: number | undefined, span: number): string {
  if (offset === undefined) return `▕${' '.repeat(axis)}▏`
  // Times of two clocks, and rounded ones, may lie a little outside.
  const tolerance = 0.1
  if (offset < -tolerance) return `▕◂${' '.repeat(axis - 1)}▏`
  if (offset > span + tolerance) return `▕${' '.repeat(axis - 1)}▸▏`
  const cell = span <= 0 ? 0 : Math.max(0, Math.min(axis - 1, Math.round((offset / span) * (axis - 1))))
  return `▕${' '.repeat(cell)}●${' '.repeat(axis - cell - 1)}▏`
}

function bodyText(item: TraceItem, start: number | undefined, paint: Paint): string {
  switch (item.from) {
    case 'log':
      return logText(item, paint)
    case 'ledger':
      return eventText(item, start, paint)
    case 'chest':
      return variableText(item, paint)
  }
}

function logText({ entry }: TraceItem & { from: 'log' }, paint: Paint): string {
  const [line = '', ...trace] = entryText(entry, {
    paint,
    isMultiLine: true,
    withoutRequestId: true,
    withoutTime: true,
  })
    .trimEnd()
    .split('\n')
  return [line, ...trace.map(text => `${' '.repeat(axis)}${text}`)].join('\n').concat('\n')
}

function eventText(
  { event }: TraceItem & { from: 'ledger' },
  start: number | undefined,
  paint: Paint,
): string {
  const taken = instantOf(event.at)
  const type = shown(lookUp(event, 'meta.type'))
  const colour =
    type === 'error' ? 'red' : type === 'warning' ? 'yellow' : type === 'success' ? 'green' : 'cyan'
  const pairs = [
    ['actor', lookUp(event, 'meta.actor.id')],
    ['outcome', lookUp(event, 'meta.outcome')],
    ['service', lookUp(event, 'meta.service')],
    [
      'recorded',
      taken === undefined || start === undefined ? undefined : `+${millisecondsText(taken - start)}`,
    ],
    ['index', event.index],
    ['tx_id', event.tx_id],
  ].filter(([, value]) => value !== undefined && value !== null)
  const words = pairs.map(([name, value]) => `${paint('dim', `${name}=`)}${shown(value)}`)
  return `${paint(colour, type.padEnd(8))} ${[shown(lookUp(event, 'meta.event_name')), ...words].join(' ')}\n`
}

function variableText({ chest, row }: TraceItem & { from: 'chest' }, paint: Paint): string {
  const { name, value, record } = row.entry
  const words = [`${printable(name)}=${printable(valueText(value, longestValue))}`]
  for (const [key, word] of [
    ['service', record.service],
    ['chest', chest],
  ] as const)
    if (word !== '') words.push(`${paint('dim', `${key}=`)}${printable(word)}`)
  return `${paint('cyan', 'variable')} ${words.join(' ')}\n`
}

function shown(value: unknown): string {
  return typeof value === 'string' ? printable(value) : typeof value === 'number' ? String(value) : '-'
}
