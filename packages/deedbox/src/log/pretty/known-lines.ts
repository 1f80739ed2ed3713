import type { Piece, Row } from './layout.ts'
import type { Role } from './palettes.ts'
import { inlineRow, isNested } from './values.ts'
import { visible } from './visible-text.ts'

/** A parsed line of the flat format. */
export type FlatRecord = Readonly<Record<string, unknown>>

/** What the compact view shows of a line that we write ourselves, in place of its message and its fields. */
interface KnownLine {
  readonly head: Row
  /** One row beneath the head, cut to the width. */
  readonly beneath: Row
  /** The fields that have no row of their own. */
  readonly keys: ReadonlySet<string>
}

/** What the head of a request line shows besides, and what stands on the quiet row beneath it. */
const requestKeys: ReadonlySet<string> = new Set([
  'method',
  'path_with_query',
  'status_code',
  'response_length',
  'elapsed',
  'ttfb',
  'schema',
  'protocol',
  'remote_ip',
  'user',
  'route',
  'referer',
  'user_agent',
])

/** What of an audit line stands in its head, on the row beneath, or in the `json` view only. */
const auditKeys: ReadonlySet<string> = new Set(['type', 'event_name', 'idempotency_key', 'payload', 'meta'])

/** Request lines and audit events have a form of their own. */
export function knownLine(record: FlatRecord): KnownLine | undefined {
  if (isRequestLine(record)) {
    return { head: requestPieces(record), beneath: quietRow(record), keys: requestKeys }
  }
  const { message, type, payload } = record
  if (message !== 'audit event' || type !== 'audit' || !isNested(payload)) return undefined
  return { head: auditPieces(record.event_name, payload), beneath: payloadRow(payload), keys: auditKeys }
}

function isRequestLine({ message, method, status_code }: FlatRecord): boolean {
  return (
    (message === 'log request' || message === 'Unhandled exception') &&
    typeof method === 'string' &&
    typeof status_code === 'number'
  )
}

/** Method, path, status, duration and size of a request at a glance. */
function requestPieces(record: FlatRecord): Piece[] {
  const status = Number(record.status_code)
  const target = [record.method, record.path_with_query].map(scalarText).filter(Boolean).join(' ')
  const pieces: Piece[] = [['message', visible(target)]]
  pieces.push(['space', ' '], [statusRole(status), String(status)])
  if (record.message !== 'log request') pieces.push(['error', `  ${scalarText(record.message)}`])
  if (typeof record.elapsed === 'number') pieces.push(['number', `  ${duration(record.elapsed)}`])
  if (typeof record.response_length === 'number') pieces.push(['quiet', `  ${size(record.response_length)}`])
  return pieces
}

function statusRole(status: number): Role {
  if (status >= 500) return 'error'
  if (status >= 400) return 'warning'
  return status >= 300 || status < 200 ? 'info' : 'success'
}

/** What is seldom looked for; the id comes first and whole, so that it can be copied. */
function quietRow(record: FlatRecord): Row {
  const { request_id, remote_ip, schema, protocol, user, route, ttfb, referer, user_agent } = record
  const parts = [
    scalarText(request_id),
    scalarText(remote_ip),
    user === undefined ? '' : `user ${scalarText(user)}`,
    route === undefined ? '' : `route ${scalarText(route)}`,
    user_agent === '-' ? '' : scalarText(user_agent),
    referer === '-' || referer === undefined ? '' : `from ${scalarText(referer)}`,
    typeof ttfb === 'number' ? `first byte ${duration(ttfb)}` : '',
    [schema, protocol].map(scalarText).filter(Boolean).join('/'),
  ]
  return [['quiet', `  ${visible(parts.filter(Boolean).join(' · '))}`]]
}

/** Seconds, as a person says them; the blank before the unit breaks no row. */
function duration(seconds: number): string {
  if (seconds >= 60) return `${Math.floor(seconds / 60)}\u00a0min\u00a0${Math.round(seconds % 60)}\u00a0s`
  if (seconds >= 1) return `${seconds.toFixed(2)}\u00a0s`
  return seconds >= 0.001 ? `${(seconds * 1_000).toFixed(1)}\u00a0ms` : `${Math.round(seconds * 1e6)}\u00a0µs`
}

/** Bytes, as a person says them. */
function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes}\u00a0B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)}\u00a0kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)}\u00a0MB` : `${(bytes / 1e9).toFixed(1)}\u00a0GB`
}

/** The name of an event and its kind. */
function auditPieces(name: unknown, payload: object): Piece[] {
  const kind = scalarText(Reflect.get(payload, 'kind'))
  const role = kind === 'success' || kind === 'warning' || kind === 'error' ? kind : 'info'
  return [
    ['quiet', 'audit event '],
    ['message', visible(scalarText(name))],
    ['space', ' '],
    [role, visible(kind)],
  ]
}

/**
 * The payload on one row, without what the head has or nobody reads: without a ledger each request leaves such a
 * line, and it would hide the others.
 */
function payloadRow(payload: object): Row {
  const { id, kind, timestamp, ...told } = payload as FlatRecord
  return [['quiet', '  '], ...inlineRow(told).map(([, text]): Piece => ['quiet', text])]
}

/** A value that stands in a row of text. */
export function scalarText(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
