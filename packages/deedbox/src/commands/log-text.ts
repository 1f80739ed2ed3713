import { type LogEntry, type LogPart, type RequestFacts, textOf } from './log-entry.ts'
import { isObject, type JsonObject, levelNumber } from './log-shapes.ts'
import { timeText } from './log-times.ts'

/** How an entry is shown to people. */
export interface TextOptions {
  readonly paint: Paint
  /** Traces below their line, as they are; else as one more field, so that each entry is one line. */
  readonly isMultiLine: boolean
  /** Where the request is named already. */
  readonly withoutRequestId?: boolean
  /** Where the time is told otherwise. */
  readonly withoutTime?: boolean
}

type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold'

/** Paints a text, or leaves it as it is where no colours are wanted. */
export type Paint = (colour: Colour, text: string) => string

const codes: Readonly<Record<Colour, string>> = {
  red: '31',
  yellow: '33',
  green: '32',
  cyan: '36',
  dim: '2',
  bold: '1',
}

/** Paints in the terminal's own colours, or not at all. */
export function painter(isColoured: boolean): Paint {
  return isColoured ? (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m` : (_colour, text) => text
}

/** Control characters, line breaks and direction marks in what somebody else wrote must not steer the terminal. */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      c => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    )
}

/** Parts that have a place of their own in the text. */
const shownParts: readonly LogPart[] = ['time', 'level', 'message', 'requestId', 'source', 'exception']

/** What is the same on each line of a process, and says nothing of what happened. */
export const unshown: ReadonlySet<string> = new Set([
  'pid',
  'hostname',
  'v',
  'ecs.version',
  'event.dataset',
  'process.pid',
  'host.hostname',
  'service.environment',
  levelNumber,
])

/** An entry as text, with its line break. */
export function entryText(entry: LogEntry, options: TextOptions): string {
  const { paint, isMultiLine } = options
  if (entry.object === undefined) return `${printable(entry.message.replaceAll('\t', '  ').trimEnd())}\n`
  const words: string[] = []
  const { time, level, requestId, source, exception } = entry
  if (!options.withoutTime) words.push(paint('dim', time === undefined ? '-'.padEnd(23) : timeText(time)))
  const name = printable(level?.name ?? '-').padEnd(8)
  words.push(level === undefined ? name : paint(levelColour(level.number), name))
  const taken = new Set(shownParts.map(part => entry.find(part)?.[0]))
  const { request } = entry
  const message = printable(entry.message)
  if (request === undefined) words.push(message)
  else {
    words.push(message === '' || message === 'log request' ? '' : `${message}:`, requestText(request, paint))
    for (const part of ['method', 'target', 'status'] as const) taken.add(entry.find(part)?.[0])
    for (const path of ['elapsed', 'responseTime', 'event.duration', 'job']) taken.add(path)
  }
  if (requestId !== undefined && !options.withoutRequestId)
    words.push(pairText('request_id', requestId, paint))
  for (const [path, value] of leaves(entry.fields)) {
    const isTaken = taken.has(path) || (path.startsWith('err.') && exception !== undefined)
    if (!isTaken && !unshown.has(path) && value !== undefined && value !== '-')
      words.push(pairText(path, value, paint))
  }
  if (source !== undefined) words.push(paint('dim', `(${printable(source)})`))
  const line = words.filter(word => word !== '').join(' ')
  if (exception === undefined) return `${line}\n`
  if (!isMultiLine) return `${line} ${pairText('exception', exception, paint)}\n`
  const trace = exception
    .trimEnd()
    .split(/\r?\n/)
    .map(text => `    ${paint('red', printable(text.replaceAll('\t', '  ')))}\n`)
  return `${line}\n${trace.join('')}`
}

/** What a request's line says of it: `GET /orders/42 200 12.3 ms`. */
export function requestText({ method, target, status, seconds, job }: RequestFacts, paint: Paint): string {
  const what = job === undefined ? [method, target] : ['job', job]
  const shown = what.filter(word => word !== undefined).map(printable)
  const colour = status === undefined || status < 400 ? 'green' : status < 500 ? 'yellow' : 'red'
  if (status !== undefined) shown.push(paint(colour, String(status)))
  return `${shown.join(' ')} ${millisecondsText(seconds * 1000)}`
}

/** Milliseconds with a tenth, `12.3 ms`. */
export function millisecondsText(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`
}

function levelColour(number: number): Colour {
  if (number >= 40) return 'red'
  if (number >= 30) return 'yellow'
  if (number === 25) return 'green'
  return number >= 20 ? 'cyan' : 'dim'
}

function pairText(path: string, value: unknown, paint: Paint): string {
  const text = textOf(value)
  // Quoted where a blank would not tell where the value ends.
  const shown =
    typeof value === 'string' && (text === '' || /[\s"=]/.test(text)) ? JSON.stringify(text) : text
  return `${paint('dim', `${printable(path)}=`)}${printable(shown)}`
}

/** Objects inside one another that are shown by dotted paths, at most; deeper ones are shown as JSON. */
const deepest = 20

/** The values of nested objects by their dotted paths. */
function* leaves(object: JsonObject, prefix = '', depth = 0): Generator<readonly [string, unknown]> {
  for (const [key, value] of Object.entries(object)) {
    const path = prefix + key
    if (depth < deepest && isObject(value) && Object.keys(value).length > 0) {
      yield* leaves(value, `${path}.`, depth + 1)
    } else yield [path, value]
  }
}
