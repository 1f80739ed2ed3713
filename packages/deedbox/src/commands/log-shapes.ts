import { levelNumbers } from '../log/index.ts'

/** What a line of a log holds. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object with members. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a dotted path; a key that itself has dots, as ECS writes them, is found too. */
export function lookUp(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const object = value as JsonObject
  if (Object.hasOwn(object, path)) return object[path]
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const head = path.slice(0, dot)
    if (!Object.hasOwn(object, head)) continue
    const found = lookUp(object[head], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/** The members of a format that wraps them, at top level under the names of the flat format; others as they are. */
export function normalised(object: JsonObject): JsonObject {
  if (typeof object.Timestamp === 'number' && isObject(object.Fields)) return ofMozlog(object, object.Fields)
  if ('timeUnixNano' in object || 'observedTimeUnixNano' in object || 'severityNumber' in object)
    return ofOtlp(object)
  if (isObject(object.record) && isObject(object.record.level)) return ofLoguru(object, object.record)
  if (isObject(object.deedbox) && '@timestamp' in object) {
    const { deedbox, ...others } = object
    return { ...deedbox, ...others }
  }
  return object
}

/** Where the number of a level stands, on our scale, for formats that say it beside the name. */
export const levelNumber = 'level_number'

/** Levels of syslog's severities, 0 to 7. */
const severities = ['CRITICAL', 'CRITICAL', 'CRITICAL', 'ERROR', 'WARNING', 'SUCCESS', 'INFO', 'DEBUG']

function ofMozlog({ Timestamp, Type, Severity }: JsonObject, fields: JsonObject): JsonObject {
  const { rid, msg, code, t, path, ...rest } = fields
  const isSummary = Type === 'request.summary'
  return {
    timestamp: Timestamp,
    level: severities[Number(Severity)] ?? 'INFO',
    message: msg ?? (isSummary ? 'log request' : Type),
    request_id: rid,
    ...rest,
    ...(isSummary
      ? { status_code: code, path_with_query: path, elapsed: Number(t) / 1000 }
      : { code, t, path }),
  }
}

/** By the number's group of four, from 1 on. */
const otlpLevels = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const

function ofOtlp(record: JsonObject): JsonObject {
  const {
    timeUnixNano,
    observedTimeUnixNano,
    severityNumber,
    severityText,
    body,
    eventName,
    traceId,
    spanId,
  } = record
  const attributes = Array.isArray(record.attributes) ? record.attributes.filter(isObject) : []
  const named = Object.fromEntries(attributes.map(({ key, value }) => [String(key), otlpValue(value)]))
  const level = otlpLevels[Math.floor((Number(severityNumber) - 1) / 4)]
  return {
    timestamp: Number(timeUnixNano) > 0 ? timeUnixNano : observedTimeUnixNano,
    level: severityText || level,
    [levelNumber]: level === undefined ? undefined : levelNumbers[level],
    message: otlpValue(body),
    type: eventName,
    ...named,
    trace_id: traceId || undefined,
    span_id: spanId || undefined,
  }
}

/** Loguru's levels have the numbers of ours. What an exception says ends the text. */
function ofLoguru({ text }: JsonObject, record: JsonObject): JsonObject {
  const { level, time, message, extra, file, line, exception } = record
  const place = [lookUp(file, 'name'), record.function, line]
  const lines = typeof text === 'string' ? text.split('\n') : []
  const told = typeof message === 'string' ? message.split('\n').length : 1
  return {
    timestamp: lookUp(time, 'timestamp'),
    level: lookUp(level, 'name'),
    [levelNumber]: lookUp(level, 'no'),
    message,
    source: line === 0 || place.includes(undefined) ? undefined : place.join(':'),
    exception: isObject(exception) ? lines.slice(told).join('\n').trim() : undefined,
    ...(isObject(extra) ? extra : {}),
  }
}

function otlpValue(value: unknown): unknown {
  if (!isObject(value)) return value
  const { stringValue, intValue, doubleValue, boolValue, arrayValue, kvlistValue } = value
  if (isObject(arrayValue)) return Array.isArray(arrayValue.values) ? arrayValue.values.map(otlpValue) : []
  if (isObject(kvlistValue)) {
    const pairs = Array.isArray(kvlistValue.values) ? kvlistValue.values.filter(isObject) : []
    return Object.fromEntries(pairs.map(pair => [String(pair.key), otlpValue(pair.value)]))
  }
  // 64-bit integers are texts in OTLP's JSON.
  if (intValue !== undefined) return Number(intValue)
  return stringValue ?? doubleValue ?? boolValue
}
