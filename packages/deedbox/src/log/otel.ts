import { hostname } from 'node:os'
import { errorMessage, errorName, quote } from '../safety/index.ts'
import type { LineFormat } from './line.ts'
import {
  addressOf,
  isNumber,
  isText,
  type Member,
  nanoseconds,
  type Origin,
  placeFields,
  placeOf,
  renderedMembers,
  splitTarget,
} from './members.ts'

/**
 * Log records of OpenTelemetry as OTLP/JSON. Each line is a whole `LogsData` (the same shape as an
 * `ExportLogsServiceRequest`), with its resource, one scope and one record, because that is what the collector's
 * `otlpjsonfile` receiver reads from a line; a bare record it would not take.
 *
 * The resource has `service.name`, `deployment.environment.name`, `host.name` and `process.pid`. The scope is the named
 * logger, else `deedbox`. Attributes follow the semantic conventions: `http.*`, `url.*`, `client.*`, `network.*`,
 * `user_agent.original` and `user.id` on request lines, `code.*` from the source, `exception.*` from an error. What
 * they have no name for keeps its own: `request_id`, `elapsed` in seconds, `ttfb`, and the fields of log calls, typed
 * (a nested object is a `kvlistValue`). A field that would take an attribute of the line goes under `fields`.
 * `traceId` and `spanId` stand where the line knows them; `flags` it does not know. Lines that are no log calls have
 * their kind as `eventName`. What an audit event nests stands as JSON text, exactly as it was made.
 */
export function otelLine({ service, env }: Origin): LineFormat {
  const resource = [
    keyValue('service.name', textValue(service)),
    keyValue('deployment.environment.name', textValue(env)),
    keyValue('host.name', textValue(hostname())),
    keyValue('process.pid', `{"intValue":"${process.pid}"}`),
  ]
  const start = `{"resourceLogs":[{"resource":{"attributes":[${resource.join(',')}]},"scopeLogs":[{"scope":{"name":`

  return (head, serializer, fields, exception, onCollision) => {
    const attributes = new Map<string, string>()
    const ids = new Map<string, string>()
    const rendered = renderedMembers(head)
    const taken = new Set(rendered.map(([name]) => name))
    const isOfRequest = head.type.startsWith('request.')
    /** Takes the id of the trace or of the span, if a member is one. */
    const isId = (name: string, json: string): boolean => {
      const id = traceIds.get(name)
      if (id?.pattern.test(json) !== true) return false
      ids.set(id.key, json)
      return true
    }
    for (const [name, json] of rendered) {
      if (isId(name, json)) continue
      const value = isNested(json) ? textValue(json) : anyValue(json)
      for (const [key, each] of conventional(name, json) ?? [[name, value]])
        if (each !== emptyValue) attributes.set(key, each)
    }
    if (head.source !== undefined)
      for (const [key, value] of codeMembers(head.source)) attributes.set(key, value)
    if (head.failure !== undefined) {
      const { thrown } = head.failure
      attributes.set('exception.type', stringValue(serializer.text(errorName(thrown))))
      attributes.set('exception.message', stringValue(serializer.text(errorMessage(thrown))))
    }
    if (exception !== undefined)
      attributes.set('exception.stacktrace', stringValue(serializer.text(exception)))
    placeFields(
      serializer,
      fields,
      (name, json) => {
        if (taken.has(name)) return false
        // What `requestFields` puts in the place of a member of the line is that member.
        if (isOfRequest && isId(name, json)) return true
        const members = (isOfRequest ? conventional(name, json) : undefined) ?? [[name, anyValue(json)]]
        if (members.some(([key]) => attributes.has(key))) return false
        for (const [key, value] of members) if (value !== emptyValue) attributes.set(key, value)
        return true
      },
      onCollision,
    )

    const instant = nanoseconds(head.instant)
    let record =
      `{"timeUnixNano":"${instant}","observedTimeUnixNano":"${instant}"` +
      `,"severityNumber":${severityOf(head.number)},"severityText":${quote(head.level)}` +
      `,"body":{"stringValue":${serializer.message(head.message)}}`
    if (head.type !== 'app.log') record += `,"eventName":${quote(head.type)}`
    if (attributes.size > 0)
      record += `,"attributes":[${[...attributes].map(([key, value]) => keyValue(key, value)).join(',')}]`
    for (const [key, id] of ids) record += `,"${key}":${id}`
    return `${start}${quote(head.logger ?? 'deedbox')}},"logRecords":[${record}}]}]}]}`
  }
}

/** Our levels among the 24 of OpenTelemetry; SUCCESS is what syslog calls a notice. */
const severities: readonly (readonly [from: number, severity: number])[] = [
  [50, 21],
  [40, 17],
  [30, 13],
  [25, 10],
  [20, 9],
  [10, 5],
]

/** The severity of a level's number; a level of the service's own has that of the next one below. */
function severityOf(level: number): number {
  return severities.find(([from]) => level >= from)?.[1] ?? 1
}

const traceIds: ReadonlyMap<string, { readonly key: string; readonly pattern: RegExp }> = new Map([
  ['trace_id', { key: 'traceId', pattern: /^"[0-9a-f]{32}"$/ }],
  ['span_id', { key: 'spanId', pattern: /^"[0-9a-f]{16}"$/ }],
])

/** The methods that the conventions know; any other is `_OTHER`, so that metrics of them stay few. */
const methods: ReadonlySet<string> = new Set(
  ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'].map(quote),
)

const textNames: ReadonlyMap<string, string> = new Map([
  ['schema', 'url.scheme'],
  ['protocol', 'network.protocol.version'],
  ['route', 'http.route'],
  ['user', 'user.id'],
  ['user_agent', 'user_agent.original'],
])

const numberNames: ReadonlyMap<string, string> = new Map([
  ['status_code', 'http.response.status_code'],
  ['response_length', 'http.response.body.size'],
])

/** A member of a line as the conventions say it; `undefined` where they do not, or want another type. */
function conventional(name: string, json: string): readonly Member[] | undefined {
  if (isNumber(json)) {
    const known = numberNames.get(name)
    return known === undefined ? undefined : [[known, anyValue(json)]]
  }
  if (!isText(json)) return undefined
  const known = textNames.get(name)
  // A dash is the flat line's way to say that the client sent none.
  if (known !== undefined) return json === '"-"' ? [] : [[known, stringValue(json)]]
  switch (name) {
    case 'method':
      return methods.has(json)
        ? [['http.request.method', stringValue(json)]]
        : [
            ['http.request.method', stringValue('"_OTHER"')],
            ['http.request.method_original', stringValue(json)],
          ]
    case 'referer':
      return json === '"-"' ? [] : [['http.request.header.referer', anyValue(`[${json}]`)]]
    case 'path_with_query':
      return targetMembers(json)
    case 'remote_ip':
      return clientMembers(json)
    default:
      return undefined
  }
}

function targetMembers(json: string): readonly Member[] {
  const { path, query } = splitTarget(JSON.parse(json) as string)
  const members: Member[] = [['url.path', textValue(path)]]
  return query === undefined ? members : [...members, ['url.query', textValue(query)]]
}

function clientMembers(json: string): readonly Member[] {
  const { address, port } = addressOf(JSON.parse(json) as string)
  const members: Member[] = [['client.address', textValue(address)]]
  return port === undefined ? members : [...members, ['client.port', anyValue(String(port))]]
}

function codeMembers(source: string): readonly Member[] {
  const { file, functionName, line } = placeOf(source)
  const members: Member[] = [['code.file.path', textValue(file)]]
  if (functionName !== undefined) members.push(['code.function.name', textValue(functionName)])
  if (line !== undefined) members.push(['code.line.number', anyValue(String(line))])
  return members
}

function keyValue(key: string, value: string): string {
  return `{"key":${quote(key)},"value":${value}}`
}

function stringValue(json: string): string {
  return `{"stringValue":${json}}`
}

function textValue(text: string): string {
  return stringValue(quote(text))
}

function isNested(json: string): boolean {
  return json.startsWith('{') || json.startsWith('[')
}

/** How OTLP says null: a value that is none of the kinds. */
const emptyValue = '{}'

/** A value, given as JSON, with its type. 64-bit integers are texts in OTLP/JSON. */
function anyValue(json: string): string {
  if (isText(json)) return stringValue(json)
  // Seconds are no whole number, also when they happen to be one.
  return isNumber(json) && json.includes('.') ? `{"doubleValue":${json}}` : typedValue(JSON.parse(json))
}

function typedValue(value: unknown): string {
  if (typeof value === 'string') return textValue(value)
  if (typeof value === 'boolean') return `{"boolValue":${value}}`
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`
  if (value === null || typeof value !== 'object') return emptyValue
  if (Array.isArray(value)) return `{"arrayValue":{"values":[${value.map(typedValue).join(',')}]}}`
  const members = Object.entries(value).map(([key, member]) => keyValue(key, typedValue(member)))
  return `{"kvlistValue":{"values":[${members.join(',')}]}}`
}
