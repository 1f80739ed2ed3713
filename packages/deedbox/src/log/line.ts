import { type Failure, isoMicroseconds } from '../request/index.ts'
import { quote, type Serializer } from '../safety/index.ts'

/** Keys that are the line's own; `request_id` joins them while a request is active. (Ruling 10) */
const reserved: ReadonlySet<string> = new Set(['timestamp', 'level', 'message', 'source', 'exception'])

/** A line longer than this many characters takes no further fields. */
const longestLine = 262_144

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
