import { levelOf, levelOfNumber, type SeenLevel } from './log-levels.ts'
import { isObject, type JsonObject, levelNumber, lookUp, normalised } from './log-shapes.ts'
import { instantOf } from './log-times.ts'

/** A part of a line that has a place of its own. */
export type LogPart =
  | 'time'
  | 'level'
  | 'message'
  | 'requestId'
  | 'source'
  | 'exception'
  | 'status'
  | 'method'
  | 'target'

/** Where the parts of a line stand in the formats that services write, the likeliest first. */
const places: Readonly<Record<LogPart, readonly string[]>> = {
  time: ['timestamp', '@timestamp', 'time', 'ts', 'datetime', 'date'],
  level: ['level', 'log.level', 'severity', 'lvl', 'levelname'],
  message: ['message', 'msg', 'short_message', 'text', 'event', 'body'],
  requestId: [
    'request_id',
    'http.request.id',
    'requestId',
    'reqId',
    'req_id',
    'rid',
    'req.id',
    '_request_id',
    'labels.request_id',
  ],
  source: ['source', 'caller', 'code.file.path', 'code.filepath', 'log.origin.file.name'],
  exception: [
    'exception',
    'traceback',
    'error.stack_trace',
    'exception.stacktrace',
    'err.stack',
    'error.stack',
    'stack',
    'stack_trace',
    'err.message',
    'error.message',
  ],
  status: [
    'status_code',
    'statusCode',
    'http.response.status_code',
    'res.statusCode',
    'httpRequest.status',
    'status',
  ],
  method: ['method', 'http.request.method', 'req.method', 'httpRequest.requestMethod'],
  target: ['path_with_query', 'url.original', 'url.path', 'req.url', 'httpRequest.requestUrl', 'url', 'path'],
}

/** Where a duration stands, and how many of it make a second. */
const durations: readonly (readonly [string, number])[] = [
  ['elapsed', 1],
  ['event.duration', 1e9],
  ['responseTime', 1e3],
  ['http.server.request.duration', 1],
  ['duration_ms', 1e3],
]

/** What the line of a request, or of a job, says of it. */
export interface RequestFacts {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly status: number | undefined
  readonly seconds: number
  readonly job: string | undefined
}

/** One line of a log, or one record of a line that holds several. Its parts are looked for when they are asked for. */
export class LogEntry {
  /** The line without its end, as it was read. */
  readonly bytes: Buffer
  /** What the line holds; `undefined` for what is no JSON object. */
  readonly object: JsonObject | undefined
  /** The same with everything at top level, for formats that wrap it. */
  readonly fields: JsonObject

  constructor(bytes: Buffer, object: JsonObject | undefined) {
    this.bytes = bytes
    this.object = object
    this.fields = object === undefined ? {} : normalised(object)
  }

  /** The same entry, to be kept for long: without the piece of the file that its line is a part of. */
  kept(): LogEntry {
    return new LogEntry(Buffer.from(this.bytes), this.object)
  }

  /** The path at which a part stands, and what stands there. */
  find(part: LogPart): readonly [string, unknown] | undefined {
    for (const path of places[part]) {
      const value = lookUp(this.fields, path)
      if (value !== undefined && value !== null && value !== '') return [path, value]
    }
    return undefined
  }

  /** Milliseconds since 1970 in UTC, with fractions. */
  get time(): number | undefined {
    return instantOf(this.find('time')?.[1])
  }

  get level(): SeenLevel | undefined {
    const value = this.find('level')?.[1]
    if (typeof value === 'number') return levelOfNumber(value)
    const number = this.fields[levelNumber]
    if (typeof value !== 'string') return undefined
    return levelOf(value, typeof number === 'number' ? number : undefined)
  }

  /** The message; what is no JSON is all message. */
  get message(): string {
    if (this.object === undefined) return this.bytes.toString('utf8')
    const value = this.find('message')?.[1]
    return value === undefined ? '' : textOf(value)
  }

  get requestId(): string | undefined {
    const value = this.find('requestId')?.[1]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }

  get source(): string | undefined {
    return this.#text('source')
  }

  get exception(): string | undefined {
    return this.#text('exception')
  }

  get status(): number | undefined {
    const status = Number(this.find('status')?.[1])
    return Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined
  }

  /** What the line says of a whole request or job; `undefined` for a line in the midst of one. */
  get request(): RequestFacts | undefined {
    const seconds = this.#seconds()
    if (seconds === undefined) return undefined
    const { status } = this
    const method = this.#text('method')
    const target = this.#text('target')
    const { job } = this.fields
    if (typeof job === 'string' && status === undefined) return { method, target, status, seconds, job }
    if (status === undefined || (method === undefined && target === undefined)) return undefined
    return { method, target, status, seconds, job: undefined }
  }

  #text(part: LogPart): string | undefined {
    const value = this.find(part)?.[1]
    return typeof value === 'string' ? value : undefined
  }

  #seconds(): number | undefined {
    for (const [path, perSecond] of durations) {
      const value = lookUp(this.fields, path)
      if (typeof value === 'number') return value / perSecond
    }
    return undefined
  }
}

/** The entries of a line: one, or each record of an OTLP export. */
export function readEntries(bytes: Buffer): LogEntry[] {
  const object = objectIn(bytes)
  if (!Array.isArray(object?.resourceLogs)) return [new LogEntry(bytes, object)]
  const records = object.resourceLogs
    .flatMap(resource => listIn(resource, 'scopeLogs'))
    .flatMap(scope => listIn(scope, 'logRecords'))
    .filter(isObject)
  const [only] = records
  if (records.length === 1 && only !== undefined) return [new LogEntry(bytes, only)]
  return records.map(record => new LogEntry(Buffer.from(JSON.stringify(record)), record))
}

/** A value as it is shown and compared. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value)
  } catch {
    // Parsing has no limit of depth, writing has.
    return '(nested too deeply)'
  }
}

function objectIn(bytes: Buffer): JsonObject | undefined {
  let start = 0
  while (bytes[start] === 0x20 || bytes[start] === 0x09) start++
  if (bytes[start] !== 0x7b) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function listIn(value: unknown, key: string): unknown[] {
  const list = isObject(value) ? value[key] : undefined
  return Array.isArray(list) ? list : []
}
