import { hostname } from 'node:os'
import { quote, type Serializer } from '../safety/index.ts'
import { type LineFormat, readField } from './line.ts'

/** Severities of syslog (RFC 5424) by level. (DF-45) */
const severities: Readonly<Record<string, number>> = {
  TRACE: 7,
  DEBUG: 7,
  INFO: 6,
  SUCCESS: 5,
  WARNING: 4,
  ERROR: 3,
  CRITICAL: 2,
}

/**
 * The mozlog format, version 2.0: an envelope with `Timestamp` in nanoseconds, and everything else in `Fields`, whose
 * values are texts, numbers, truth values or lists of one of these. What is nested is written as JSON text, what is
 * null is left out, and `Fields` is never empty. (DF-44, DF-46, DF-47, DF-50, DF-52)
 * @param application stands as `Logger`
 */
export function mozlogLine(application: string): LineFormat {
  const constant =
    `,"Logger":${quote(application)},"Hostname":${quote(hostname())},"EnvVersion":"2.0"` +
    `,"Pid":${process.pid},"Severity":`
  return (head, serializer, fields, exception) => {
    const all = new Map<string, string>()
    for (const [key, value] of parsed(head.members.slice(1))) addField(all, shortNames[key] ?? key, value)
    for (const key of Object.keys(fields ?? {})) {
      const member = serializer.member(key, readField(fields ?? {}, key))
      for (const [name, value] of parsed(member ?? '')) addField(all, name, value)
    }
    if (head.source !== undefined) all.set('source', quote(head.source))
    if (exception !== undefined) all.set('traceback', serializer.text(`Uncaught exception:\n${exception}`))
    if (head.message !== '' || all.size === 0) addMessage(all, serializer, head.message)
    const members = [...all].map(([key, json]) => `${quote(key)}:${json}`)
    // Nanoseconds exceed what a number holds exactly, so they are written as text. (DF-50)
    return (
      `{"Timestamp":${head.instant}000,"Type":${quote(head.type)}${constant}${severities[head.level] ?? 7}` +
      `,"Fields":{${members.join(',')}}}`
    )
  }
}

/** What mozlog calls by a name of its own. (DF-48) */
const shortNames: Readonly<Record<string, string>> = { request_id: 'rid' }

function parsed(members: string): [string, unknown][] {
  return members === '' ? [] : Object.entries(JSON.parse(`{${members}}`) as Record<string, unknown>)
}

function addField(all: Map<string, string>, key: string, value: unknown): void {
  const json = fieldJson(value)
  if (json !== undefined) all.set(key, json)
}

/** A value as the schema of `Fields` allows it; `undefined` for what has no value. */
function fieldJson(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') return JSON.stringify(value)
  if (!Array.isArray(value)) return JSON.stringify(JSON.stringify(value))
  if (value.length === 0) return undefined
  const [kind] = value.map(entry => typeof entry)
  const isPlain = kind === 'string' || kind === 'number' || kind === 'boolean'
  const isHomogeneous = isPlain && value.every(entry => typeof entry === kind)
  return isHomogeneous ? JSON.stringify(value) : JSON.stringify(JSON.stringify(value))
}

/** A message that is itself a JSON object becomes fields; the original dropped it. (DF-46) */
function addMessage(all: Map<string, string>, serializer: Serializer, message: string): void {
  if (message.startsWith('{') && message.endsWith('}')) {
    try {
      const object: unknown = JSON.parse(message)
      for (const [key, value] of parsed(serializer.serialize(object).json.slice(1, -1))) {
        if (!all.has(key)) addField(all, key, value)
      }
      if (all.size > 0) return
    } catch {
      // A text like any other.
    }
  }
  all.set('msg', serializer.text(message))
}
