import { type Failure, isoMicroseconds } from '../request/index.ts'
import { quote, type Serializer } from '../safety/index.ts'

/** Keys that are the line's own; `request_id` joins them while a request is active. (Ruling 10) */
const reserved: ReadonlySet<string> = new Set(['timestamp', 'level', 'message', 'source', 'exception'])

/** A line longer than this many characters takes no further fields. */
export const longestLine = 262_144

/** What a line begins with. */
export interface LineHead {
  /** Microseconds since 1970-01-01 UTC. */
  readonly instant: number
  /** The level's name, one of ours or of the service's own, and its number. (FA-04) */
  readonly level: string
  readonly number: number
  /** What kind of line it is, for formats that say so: `request.summary`, `app.log`. */
  readonly type: string
  /** The name of the logger, for lines of a named one. */
  readonly logger: string | undefined
  readonly message: string
  /** `file:function:line`, where it is known. */
  readonly source: string | undefined
  /** The error that the line tells, for formats that have fields for it; its text stands in `exception`. */
  readonly failure: Failure | undefined
  /** Members already rendered and redacted, each with its leading comma: the request id of the active request. */
  readonly members: string
}

/**
 * Builds one line without its end.
 * @param onCollision told each field name that had to move (FA-06)
 */
export type LineFormat = (
  head: LineHead,
  serializer: Serializer,
  fields: Readonly<Record<string, unknown>> | undefined,
  exception: string | undefined,
  onCollision: (key: string) => void,
) => string

/**
 * The flat format: `timestamp`, `level`, `message`, `source`, then the request id and the fields at top level, then
 * `exception`. (FA-02) Fields that would overwrite a key of the line go under `fields`.
 */
export const flatLine: LineFormat = (head, serializer, fields, exception, onCollision) => {
  let line = `{"timestamp":"${isoMicroseconds(head.instant)}+00:00","level":"${head.level}","message":${serializer.message(head.message)}`
  if (head.source !== undefined) line += `,"source":${quote(head.source)}`
  if (head.logger !== undefined) line += `,"logger":${quote(head.logger)}`
  line += head.members
  if (fields !== undefined) line = addFields(line, serializer, fields, head, onCollision)
  if (exception !== undefined) line += `,"exception":${serializer.text(exception)}`
  return `${line}}`
}

/** Where the instant stands in a flat line: everything behind it is the same in every zone. */
const instantStart = '{"timestamp":"'.length
const instantEnd = instantStart + '2026-11-29T18:49:02.000123+00:00'.length

/** What may be chosen about flat lines. */
export interface FlatOptions {
  /** `local` writes the time of the process's zone with its offset, as `-03:00`. Default `utc`: `+00:00`. (FA-03) */
  readonly offset?: 'utc' | 'local' | undefined
}

/** The flat format with a choice; without one it is {@link flatLine} itself. */
export function flatLineWith({ offset }: FlatOptions = {}): LineFormat {
  if (offset !== 'local') return flatLine
  return (head, serializer, fields, exception, onCollision) => {
    const line = flatLine(head, serializer, fields, exception, onCollision)
    return line.slice(0, instantStart) + localTime(head.instant) + line.slice(instantEnd)
  }
}

/** An instant as ISO 8601 with microseconds, in the zone of the process. */
function localTime(instant: number): string {
  const minutes = -Math.round(new Date(instant / 1000).getTimezoneOffset())
  const size = Math.abs(minutes)
  const hours = String(Math.floor(size / 60)).padStart(2, '0')
  const shifted = isoMicroseconds(instant + minutes * 60_000_000)
  return `${shifted}${minutes < 0 ? '-' : '+'}${hours}:${String(size % 60).padStart(2, '0')}`
}

function addFields(
  start: string,
  serializer: Serializer,
  fields: Readonly<Record<string, unknown>>,
  { members, logger }: LineHead,
  onCollision: (key: string) => void,
): string {
  let line = start
  let moved = ''
  for (const key of Object.keys(fields)) {
    if (line.length + moved.length > longestLine) {
      line += ',"fields_cut":true'
      break
    }
    const member = serializer.member(key, readField(fields, key))
    if (member === undefined) continue
    if (
      reserved.has(key) ||
      key === 'fields' ||
      key === 'fields_cut' ||
      (key === 'request_id' && members !== '') ||
      (key === 'logger' && logger !== undefined)
    ) {
      moved += moved === '' ? member : `,${member}`
      if (key !== 'fields') onCollision(key)
    } else {
      line += `,${member}`
    }
  }
  return moved === '' ? line : `${line},"fields":{${moved}}`
}

/** Reads a member of the caller's object; what its getter throws stands in its place. */
export function readField(fields: Readonly<Record<string, unknown>>, key: string): unknown {
  try {
    return fields[key]
  } catch (error) {
    return error
  }
}
