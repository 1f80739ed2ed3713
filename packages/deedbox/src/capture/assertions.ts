import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'
import type { CapturedLog, ParsedLine } from './captured-log.ts'
import type { EventPattern, MemoryLedger } from './memory-ledger.ts'
import type { MemoryEvent } from './memory-store.ts'
import { mismatch } from './partial-match.ts'
import { aroundSecret } from './secret-forms.ts'

/** Members of a line that have to be there; texts may be given as regular expressions. */
export type LinePattern = Readonly<Record<string, unknown>>

/**
 * Passes when an event is stored that has at least these members, and returns the first such one. Objects fit by the
 * members that are named, arrays item by item, texts as they are or by a regular expression.
 * @throws AssertionError that shows the pattern and, for each event, what it lacks
 */
export function assertEvent(ledger: Pick<MemoryLedger, 'events'>, pattern: EventPattern): MemoryEvent {
  const found = ledger.events.find(event => mismatch(event, pattern) === undefined)
  if (found !== undefined) return found
  throw failure(
    `No event is ${shown(pattern)}. ${told(ledger.events, 'event', pattern, ({ event_name }) => event_name)}`,
    ledger.events.map(event => picked(event, pattern)),
    pattern,
    assertEvent,
  )
}

/**
 * Passes when no stored event has these members.
 * @throws AssertionError that shows the event
 */
export function assertNoEvent(ledger: Pick<MemoryLedger, 'events'>, pattern: EventPattern = {}): void {
  const found = ledger.events.find(event => mismatch(event, pattern) === undefined)
  if (found === undefined) return
  const message = `Event ${found.index}, ${found.event_name}, is ${shown(pattern)}, and none should be.`
  throw failure(message, found, undefined, assertNoEvent)
}

/**
 * Passes when a line has at least these fields, and returns the first such one.
 * @throws AssertionError that shows the fields and, for each line, what it lacks
 */
export function assertLine(lines: readonly ParsedLine[], pattern: LinePattern): ParsedLine {
  const found = lines.find(line => mismatch(line, pattern) === undefined)
  if (found !== undefined) return found
  throw failure(
    `No line is ${shown(pattern)}. ${told(lines, 'line', pattern, ({ message }) => String(message))}`,
    lines.map(line => picked(line, pattern)),
    pattern,
    assertLine,
  )
}

/**
 * Passes when a text is nowhere in what was logged or stored: neither as it is nor as JSON, JSON within JSON, an address,
 * a form, or base64 write it, alone or amid other bytes. Await `lines()` or `received()` first, so that it is all there.
 * @throws AssertionError that says where it stands, without the text, and for a log that has no line; RangeError for a text
 * of fewer than four characters
 */
export function assertNoSecret(
  captured: Pick<CapturedLog, 'texts'> | Pick<MemoryLedger, 'events'> | readonly (string | object)[],
  secret: string,
): void {
  if (secret.length < 4)
    throw new RangeError('So short a text is everywhere: use a secret of four characters or more.')
  if ('texts' in captured && captured.texts.length === 0)
    throw failure(
      'No line was captured, so nothing can be said of it: await lines() first. Lines that go to a sink of your own ' +
        'are not captured.',
      undefined,
      undefined,
      assertNoSecret,
    )
  for (const [where, text] of placesOf(captured)) {
    const around = aroundSecret(text, secret)
    if (around === undefined) continue
    throw failure(`The secret stands in ${where}: …${around}…`, undefined, undefined, assertNoSecret)
  }
}

/**
 * Passes when each request of a captured log has exactly one event in the ledger, by its id, one on a skipped path none, one
 * with a late error a second, and no automatic event is without a request. Events of `box.send` are not counted.
 * @throws AssertionError that names the requests
 */
export function assertOneEventPerRequest(
  captured: Pick<CapturedLog, 'records'>,
  ledger: Pick<MemoryLedger, 'events'>,
): void {
  const counts = new Map<string, number>()
  for (const { payload } of ledger.events) {
    const id = requestOf(payload)
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const wrong = []
  for (const [id, records] of Map.groupBy(captured.records, record => record.requestId)) {
    const expected = records.filter(record => !record.skipped).length
    const count = counts.get(id) ?? 0
    const [first] = records
    if (count !== expected)
      wrong.push(`${first?.method} ${first?.path} (${id}) has ${count} and not ${expected}`)
    counts.delete(id)
  }
  for (const [id, count] of counts) wrong.push(`${id}, which was not recorded, has ${count}`)
  if (wrong.length === 0) return
  throw failure(
    `Each request has one event, but: ${wrong.join('; ')}.`,
    undefined,
    undefined,
    assertOneEventPerRequest,
  )
}

/** The request that an automatic event is of. */
function requestOf(payload: unknown): string | undefined {
  const request: unknown =
    typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'request') : undefined
  const id: unknown =
    typeof request === 'object' && request !== null ? Reflect.get(request, 'request_id') : undefined
  return typeof id === 'string' ? id : undefined
}

type Captured = Parameters<typeof assertNoSecret>[0]

function placesOf(captured: Captured): [string, string][] {
  if (isList(captured)) return captured.map((item, i) => [`item ${i}`, textOf(item)])
  if ('events' in captured)
    return captured.events.map(event => [
      `event ${event.index}, ${event.event_name}`,
      `${event.text}\n${textOf(event)}`,
    ])
  return captured.texts.map((text, i) => [`line ${i}`, text])
}

function isList(captured: Captured): captured is readonly (string | object)[] {
  return Array.isArray(captured)
}

/** All that is reachable, errors with their texts: JSON would leave those out. */
function textOf(value: string | object): string {
  if (typeof value === 'string') return value
  return inspect(value, {
    depth: 20,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Number.POSITIVE_INFINITY,
  })
}

function failure(
  message: string,
  actual: unknown,
  expected: unknown,
  stackStartFn: (...args: never[]) => unknown,
): AssertionError {
  return new AssertionError({ message, actual, expected, operator: stackStartFn.name, stackStartFn })
}

/** Why there may be none, where that is seldom what was meant. */
const hints: Readonly<Record<'event' | 'line', string>> = {
  event:
    ' Await received() first. captureLog() has no events of requests unless it gets `audit: { requests: true }`.',
  line: ' Await lines() first.',
}

/** What each of them has against the pattern, the first ten. */
function told<T>(
  all: readonly T[],
  what: 'event' | 'line',
  pattern: object,
  nameOf: (one: T) => string,
): string {
  if (all.length === 0) return `There is no ${what} at all.${hints[what]}`
  const each = all.slice(0, 10).map((one, i) => `\n  ${i} ${nameOf(one)}: ${mismatch(one, pattern)}`)
  return `There are ${all.length}:${each.join('')}${all.length > 10 ? '\n  …' : ''}`
}

/** Of a value, what the pattern speaks of: what else it has would hide the difference. */
function picked(value: unknown, pattern: unknown): unknown {
  const isPlain = typeof pattern === 'object' && pattern !== null && !(pattern instanceof RegExp)
  if (!isPlain || Array.isArray(pattern) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(pattern).map(([name, part]) => [name, picked(Reflect.get(value, name), part)]),
  )
}

function shown(pattern: object): string {
  return inspect(pattern, { depth: 5, compact: true, breakLength: Number.POSITIVE_INFINITY })
}
