import { hostname } from 'node:os'
import { isoMicroseconds } from '../request/index.ts'
import { errorMessage, errorName, quote, type Serializer } from '../safety/index.ts'
import type { LineFormat } from './line.ts'
import { type Member, nanoseconds, placeFields, renderedMembers } from './members.ts'

/** What may be chosen about lines of mozlog. */
export interface MozlogOptions {
  /** Whether `Time` says in RFC 3339 what `Timestamp` says in nanoseconds. Default `false`. (DF-49) */
  readonly time?: boolean | undefined
  /**
   * `omit` leaves out the fields that mozlog marks as personal data, or as what can be: `agent`, `email`, `lang`,
   * `remoteAddressChain`, `uid`. (It marks `service` too, which tells a service apart and no person; that one stays.)
   * Default `keep`. (DF-48)
   */
  readonly personal?: 'keep' | 'omit' | undefined
}

/** What the lines themselves put into `Fields`; `rid` joins these while a request is active. */
const reserved: ReadonlySet<string> = new Set(['msg', 'source', 'traceback'])

const personalFields: ReadonlySet<string> = new Set(['agent', 'email', 'lang', 'remoteAddressChain', 'uid'])

/**
 * The mozlog format, version 2.0: an envelope with `Timestamp` in nanoseconds, and everything else in `Fields`, whose
 * values are texts, numbers, truth values or lists of one of these. What is nested is written as JSON text, what is
 * null or an empty list is left out, and `Fields` is never empty. (DF-44, DF-46, DF-47, DF-50, DF-52)
 *
 * `Logger` is the application, always. `Type` is the kind of line, and for a named logger its name: what Python calls
 * the name of a logger is mozlog's `Type`. (DF-44)
 *
 * Fields named `msg`, `source`, `traceback` or, in a request, `rid` go as JSON text under `fields`. (Ruling 10)
 * @param application stands as `Logger`
 */
export function mozlogLine(application: string, { time, personal }: MozlogOptions = {}): LineFormat {
  const constant =
    `,"Logger":${quote(application)},"Hostname":${quote(hostname())},"EnvVersion":"2.0"` +
    `,"Pid":${process.pid},"Severity":`
  const isLeftOut = (name: string): boolean => personal === 'omit' && personalFields.has(name)

  return (head, serializer, fields, exception, onCollision) => {
    const all = new Map<string, string>()
    const add = (name: string, json: string): void => {
      const value = isLeftOut(name) ? undefined : fieldValue(json)
      if (value !== undefined) all.set(name, value)
    }
    for (const [name, json] of renderedMembers(head)) add(name === 'request_id' ? 'rid' : name, json)
    const taken = new Set(all.keys())
    placeFields(
      serializer,
      fields,
      (name, json) => {
        if (reserved.has(name) || taken.has(name)) return false
        add(name, json)
        return true
      },
      onCollision,
    )
    if (head.source !== undefined) all.set('source', quote(head.source))
    if (head.failure !== undefined && !all.has('error')) {
      const { thrown } = head.failure
      all.set('error', serializer.text(`${errorName(thrown)}: ${errorMessage(thrown)}`))
    }
    if (exception !== undefined) all.set('traceback', serializer.text(`Uncaught exception:\n${exception}`))
    if (head.message !== '' || all.size === 0) {
      const told = messageFields(serializer, head.message).filter(([name]) => !isLeftOut(name))
      // All of it as fields or, where a name is taken, all of it as a text, so that nothing is lost.
      if (told.length > 0 && told.every(([name]) => !all.has(name)))
        for (const [name, value] of told) all.set(name, value)
      else all.set('msg', serializer.text(head.message))
    }
    const members = [...all].map(([name, json]) => `${quote(name)}:${json}`)
    const readable = time === true ? `,"Time":"${isoMicroseconds(head.instant)}Z"` : ''
    return (
      `{"Timestamp":${nanoseconds(head.instant)}${readable},"Type":${quote(head.logger ?? head.type)}` +
      `${constant}${severityOf(head.number)},"Fields":{${members.join(',')}}}`
    )
  }
}

/** The severity of syslog (RFC 5424) for a level's number: critical, error, warning, notice, information, debug. (DF-45) */
function severityOf(level: number): number {
  if (level >= 50) return 2
  if (level >= 40) return 3
  if (level >= 30) return 4
  if (level >= 25) return 5
  return level >= 20 ? 6 : 7
}

/** A value as the schema of `Fields` allows it; `undefined` for what has no value. (DF-47) */
function fieldValue(json: string): string | undefined {
  if (json === 'null') return undefined
  if (json.startsWith('{')) return quote(json)
  if (!json.startsWith('[')) return json
  const entries = JSON.parse(json) as unknown[]
  if (entries.length === 0) return undefined
  const kind = typeof entries[0]
  const isPlain = kind === 'string' || kind === 'number' || kind === 'boolean'
  return isPlain && entries.every(entry => typeof entry === kind) ? json : quote(json)
}

/** The fields of a message that is itself a JSON object; the original dropped it. (DF-46) */
function messageFields(serializer: Serializer, message: string): Member[] {
  if (!message.startsWith('{') || !message.endsWith('}')) return []
  try {
    const { json, cut } = serializer.serialize(JSON.parse(message))
    if (cut) return []
    const fields: Member[] = []
    for (const [name, value] of Object.entries(JSON.parse(json) as Record<string, unknown>)) {
      const field = fieldValue(JSON.stringify(value))
      if (field !== undefined) fields.push([name, field])
    }
    return fields
  } catch {
    // A text like any other.
    return []
  }
}
