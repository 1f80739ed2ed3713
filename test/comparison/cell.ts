import type { Reading } from './reading.ts'
import type { Scenario } from './scenarios.ts'

/** One cell of the table. */
export interface Cell {
  /** What was written, in a few words. */
  readonly text: string
  /** By the rule of `isRight`. */
  readonly right: boolean
}

/**
 * The cell of one request.
 * @param readings all lines about it
 * @param sent the status that the client got, if it got one
 */
export function cellOf(scenario: Scenario, readings: readonly Reading[], sent: number | undefined): Cell {
  return { text: textOf(scenario, readings, sent), right: isRight(scenario, readings, sent) }
}

/**
 * The rule: there is exactly one record of the request's end. Of a client that left, a line tells so: in any way, or
 * by the status 499. Of an answer, the record has the status that the client got; and if that is 5xx, a line carries
 * the message of the real error, and the record none that never happened.
 */
function isRight(scenario: Scenario, readings: readonly Reading[], sent: number | undefined): boolean {
  const records = readings.filter(reading => reading.isRecord)
  const [record] = records
  if (record === undefined || records.length > 1) return false
  if (scenario.leaves !== undefined) return tellsAbort(readings)
  if (record.status !== sent) return false
  return (
    record.status === undefined ||
    record.status < 500 ||
    (hasReal(scenario, readings) && !isInvented(scenario, record))
  )
}

function textOf(scenario: Scenario, readings: readonly Reading[], sent: number | undefined): string {
  if (readings.length === 0) return 'nothing'
  const records = readings.filter(reading => reading.isRecord)
  const lines = readings.length > 1 ? ` (${readings.length} lines)` : ''
  if (records.length === 0) return `only that it came${lines}`
  const said = records.map(record => recordText(scenario, record, readings, sent)).join('; ')
  return said + lines
}

function recordText(
  scenario: Scenario,
  record: Reading,
  readings: readonly Reading[],
  sent: number | undefined,
): string {
  const parts = [record.status === undefined ? 'no status' : String(record.status)]
  if (record.level !== undefined) parts.push(record.level)
  if (scenario.leaves !== undefined) {
    parts.push(tellsAbort(readings) ? 'aborted' : 'looks fine')
  } else {
    if (isInvented(scenario, record)) parts.push('an invented error')
    if (record.error !== undefined && !isInvented(scenario, record)) parts.push('the real error')
    else if (hasReal(scenario, readings)) parts.push('the real error on another line')
    else if (record.error === undefined && (sent ?? 0) >= 500) parts.push('no error')
  }
  return parts.join(', ')
}

function tellsAbort(readings: readonly Reading[]): boolean {
  return readings.some(reading => reading.toldAbort || reading.status === 499)
}

function hasReal(scenario: Scenario, readings: readonly Reading[]): boolean {
  return readings.some(reading => reading.error !== undefined && !isInvented(scenario, reading))
}

function isInvented({ realError }: Scenario, { error }: Reading): boolean {
  return error !== undefined && !(realError?.test(error) ?? false)
}
