import { levelNumbers } from '../log/index.ts'
import { type LogEntry, textOf } from './log-entry.ts'
import { levelOf } from './log-levels.ts'
import { lookUp } from './log-shapes.ts'
import { readInstant } from './log-times.ts'
import { UsageError } from './usage-error.ts'

/** The options that choose lines, as Node's parser takes them. */
export const filterOptions = {
  level: { type: 'string' },
  'request-id': { type: 'string', multiple: true },
  since: { type: 'string' },
  until: { type: 'string' },
  message: { type: 'string' },
  field: { type: 'string', multiple: true },
  source: { type: 'string' },
  status: { type: 'string', multiple: true },
  errors: { type: 'boolean' },
  'json-only': { type: 'boolean' },
} as const

/** What {@link filterOptions} were given. */
export interface FilterValues {
  readonly level?: string | undefined
  readonly 'request-id'?: string[] | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly message?: string | undefined
  readonly field?: string[] | undefined
  readonly source?: string | undefined
  readonly status?: string[] | undefined
  readonly errors?: boolean | undefined
  readonly 'json-only'?: boolean | undefined
}

/** Which lines are shown. */
export interface LineChoice {
  /** Whether the line could fit at all, seen from its bytes: most of a long log need not be parsed. */
  mayFit(bytes: Buffer): boolean
  fits(entry: LogEntry): boolean
}

/** Ids are shown by their end where room is short, and copied by their beginning: six characters tell them apart. */
const leastPart = 6

/** Whether an id is the wanted one, or begins or ends with it. */
export function isRequestId(id: string | undefined, wanted: string): boolean {
  if (id === undefined) return false
  return id === wanted || (wanted.length >= leastPart && (id.startsWith(wanted) || id.endsWith(wanted)))
}

type Test = (entry: LogEntry) => boolean

/**
 * Reads the filters; all that are given must hold.
 * @param now milliseconds since 1970
 * @throws UsageError
 */
export function readFilters(values: FilterValues, now: number): LineChoice {
  const tests: Test[] = []
  if (values['json-only']) tests.push(entry => entry.object !== undefined)
  const ids = values['request-id'] ?? []
  if (ids.length > 0) tests.push(({ requestId }) => ids.some(id => isRequestId(requestId, id)))
  if (values.level !== undefined) tests.push(levelTest(values.level))
  if (values.since !== undefined) {
    const since = readInstant('--since', values.since, now)
    tests.push(({ time }) => time !== undefined && time >= since)
  }
  if (values.until !== undefined) {
    const until = readInstant('--until', values.until, now)
    tests.push(({ time }) => time !== undefined && time < until)
  }
  if (values.message !== undefined) tests.push(messageTest(values.message))
  if (values.source !== undefined) {
    const wanted = values.source
    tests.push(({ source }) => source?.includes(wanted) === true)
  }
  const statuses = (values.status ?? []).map(statusTest)
  if (statuses.length > 0) {
    tests.push(({ status }) => status !== undefined && statuses.some(test => test(status)))
  }
  if (values.errors) {
    tests.push(entry => (entry.level?.number ?? 0) >= levelNumbers.ERROR || entry.exception !== undefined)
  }
  for (const condition of values.field ?? []) tests.push(fieldTest(condition))

  // What may stand otherwise in JSON, such as a quote or a letter beyond ASCII, is not looked for in the bytes.
  const plain = ids.length > 0 && ids.every(id => /^[\w.:-]+$/.test(id)) ? ids : undefined
  return {
    mayFit: bytes => plain === undefined || plain.some(id => bytes.includes(id)),
    fits: entry => tests.every(test => test(entry)),
  }
}

function levelTest(text: string): Test {
  const { name, number } = levelOf(text)
  if (!Object.hasOwn(levelNumbers, name)) {
    throw new UsageError(`--level takes ${Object.keys(levelNumbers).join(', ')}, in any case; not "${text}".`)
  }
  return ({ level }) => level !== undefined && level.number >= number
}

function messageTest(text: string): Test {
  const [, pattern, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? []
  if (pattern === undefined) return ({ message }) => message.includes(text)
  let expression: RegExp
  try {
    // Without the flags that would carry a place from one line to the next.
    expression = new RegExp(pattern, (flags ?? '').replace(/[gy]/g, ''))
  } catch (error) {
    throw new UsageError(`--message: ${error instanceof Error ? error.message : String(error)}.`)
  }
  return ({ message }) => expression.test(message)
}

function statusTest(text: string): (status: number) => boolean {
  const [, family] = /^([1-5])xx$/i.exec(text) ?? []
  if (family !== undefined) return status => Math.floor(status / 100) === Number(family)
  const [, from, to = from] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? []
  if (from !== undefined) return status => status >= Number(from) && status <= Number(to)
  throw new UsageError(`--status takes 404, 5xx or 400-499; not "${text}".`)
}

function fieldTest(condition: string): Test {
  const [, path = '', operator = '', wanted = ''] = /^([^=<>!]+)(!=|>=|<=|=|>|<)(.*)$/s.exec(condition) ?? []
  if (operator === '') {
    throw new UsageError(`--field takes key=value, key!=value, key>5 or the like; not "${condition}".`)
  }
  const value = ({ object, fields }: LogEntry): unknown => lookUp(object, path) ?? lookUp(fields, path)
  if (operator === '=') return entry => isSame(value(entry), wanted)
  if (operator === '!=') return entry => entry.object !== undefined && !isSame(value(entry), wanted)
  const bound = Number(wanted)
  if (wanted.trim() === '' || Number.isNaN(bound)) {
    throw new UsageError(`--field: ${operator} compares with a number, not with "${wanted}".`)
  }
  const compare: (number: number) => boolean = {
    '>': (number: number) => number > bound,
    '>=': (number: number) => number >= bound,
    '<': (number: number) => number < bound,
    '<=': (number: number) => number <= bound,
  }[operator as '>' | '>=' | '<' | '<=']
  return entry => {
    const found = value(entry)
    return typeof found === 'number' && compare(found)
  }
}

function isSame(value: unknown, wanted: string): boolean {
  if (value === undefined) return false
  if (typeof value === 'number') return wanted.trim() !== '' && value === Number(wanted)
  return textOf(value) === wanted
}
