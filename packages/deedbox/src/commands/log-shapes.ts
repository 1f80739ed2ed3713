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
  return object
}

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
const otlpLevels = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']

function ofOtlp(record: JsonObject): JsonObject {
  const { timeUnixNano, observedTimeUnixNano, severityNumber, severityText, body, traceId, spanId } = record
  const attributes = Array.isArray(record.attributes) ? record.attributes.filter(isObject) : []
  const named = Object.fromEntries(attributes.map(({ key, value }) => [String(key), otlpValue(value)]))
  return {
    timestamp: Number(timeUnixNano) > 0 ? timeUnixNano : observedTimeUnixNano,
    level: severityText || otlpLevels[Math.floor((Number(severityNumber) - 1) / 4)],
    message: otlpValue(body),
    ...named,
    trace_id: traceId || undefined,
    span_id: spanId || undefined,
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
