import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { isoMicroseconds } from '../request/index.ts'
import { errorMessage, errorName, quote } from '../safety/index.ts'
import type { LineFormat, LineHead } from './line.ts'
import {
  addressOf,
  isNumber,
  isText,
  type Member,
  type Origin,
  placeFields,
  placeOf,
  renderedMembers,
  splitTarget,
} from './members.ts'

/** The version of the schema whose names are used; each of them is in all of 8.x. */
const version = '8.11.0'

/** Whose lines they are, and where fields stand that the schema has no name for. */
export interface EcsOptions extends Origin {
  /** The key that holds them. Default `deedbox`. */
  readonly under?: string | undefined
}

/**
 * Lines in the Elastic Common Schema, 8.x: one object with dotted names, which Elasticsearch and its shippers read as
 * nested ones. `log.level` is the level in lower case. A request line has `http.*`, `url.*`, `client.*`,
 * `user_agent.original`, `event.duration` in nanoseconds and `event.outcome`; the request id is `http.request.id` on
 * every line that has one; an error has `error.type`, `error.message`, `error.stack_trace`.
 *
 * The schema gives no names to what is the service's own, and advises to nest it under a proper name, which no later
 * version will use. So the fields of log calls, and what a request line has beyond the schema (`route`, `ttfb`, …),
 * stand in one object, `deedbox`, with their types kept: `labels` would take texts only. There no field can collide
 * with the schema; one that is named like what the line itself knows goes under `deedbox.fields`.
 */
export function ecsLine({ service, env, under = 'deedbox' }: EcsOptions): LineFormat {
  const constant =
    `,"ecs.version":"${version}","service.name":${quote(service)},"service.environment":${quote(env)}` +
    `,"event.dataset":${quote(`${service}.log`)},"process.pid":${process.pid}` +
    `,"host.hostname":${quote(hostname())}`
  const customKey = quote(under)

  return (head, serializer, fields, exception, onCollision) => {
    const known = new Map<string, string>()
    const custom = new Map<string, string>()
    const rendered = renderedMembers(head)
    const taken = new Set(rendered.map(([name]) => name))
    const isOfRequest = head.type.startsWith('request.')
    const learn = (name: string, json: string): boolean => {
      const members = ecsMembers(name, json)
      for (const [key, value] of members ?? []) known.set(key, value)
      return members !== undefined
    }
    for (const [name, json] of rendered) if (!learn(name, json)) custom.set(name, json)
    placeFields(
      serializer,
      fields,
      (name, json) => {
        if (taken.has(name)) return false
        // What `requestFields` puts in the place of a member of the line is that member.
        if (!isOfRequest || !learn(name, json)) custom.set(name, json)
        return true
      },
      onCollision,
    )
    const outcome = outcomeOf(head, known, custom, exception)
    if (outcome !== undefined) known.set('event.outcome', quote(outcome))

    let line =
      `{"@timestamp":"${isoMicroseconds(head.instant)}Z","log.level":${quote(head.level.toLowerCase())}` +
      `,"message":${serializer.message(head.message)}${constant}`
    if (head.logger !== undefined) line += `,"log.logger":${quote(head.logger)}`
    if (head.type !== 'app.log') line += `,"event.action":${quote(head.type)}`
    if (head.source !== undefined) line += originMembers(head.source)
    for (const [key, value] of known) line += `,"${key}":${value}`
    if (head.failure !== undefined) {
      const { thrown } = head.failure
      line += `,"error.type":${serializer.text(errorName(thrown))},"error.message":${serializer.text(errorMessage(thrown))}`
    }
    if (exception !== undefined) line += `,"error.stack_trace":${serializer.text(exception)}`
    const members = [...custom].map(([name, json]) => `${quote(name)}:${json}`)
    return members.length === 0 ? `${line}}` : `${line},${customKey}:{${members.join(',')}}}`
  }
}

function originMembers(source: string): string {
  const { file, functionName, line } = placeOf(source)
  return (
    `,"log.origin.file.name":${quote(file)}` +
    (line === undefined ? '' : `,"log.origin.file.line":${line}`) +
    (functionName === undefined ? '' : `,"log.origin.function":${quote(functionName)}`)
  )
}

/** Whether what the line tells went well, for lines that tell of a whole: a request, a job. */
function outcomeOf(
  head: LineHead,
  known: ReadonlyMap<string, string>,
  custom: ReadonlyMap<string, string>,
  exception: string | undefined,
): string | undefined {
  if (head.type === 'job.summary') return exception === undefined ? 'success' : 'failure'
  if (head.type !== 'request.summary') return undefined
  // Whether what a client did not wait for would have gone well, nobody knows.
  if (custom.get('aborted') === 'true') return 'unknown'
  const status = known.get('http.response.status_code')
  if (status === undefined) return undefined
  const isFailed = Number(status) >= 500 || custom.get('late') === 'true'
  return isFailed ? 'failure' : 'success'
}

/** Texts that have a name in the schema. */
const textNames: ReadonlyMap<string, string> = new Map([
  ['request_id', 'http.request.id'],
  ['method', 'http.request.method'],
  ['referer', 'http.request.referrer'],
  ['protocol', 'http.version'],
  ['schema', 'url.scheme'],
  ['user', 'user.id'],
  ['user_agent', 'user_agent.original'],
  ['trace_id', 'trace.id'],
  ['span_id', 'span.id'],
])

/** Numbers that have one. */
const numberNames: ReadonlyMap<string, string> = new Map([
  ['status_code', 'http.response.status_code'],
  ['response_length', 'http.response.body.bytes'],
])

/** How the schema says a member of a line; `undefined` where it has no name for it, or wants another type. */
function ecsMembers(name: string, json: string): readonly Member[] | undefined {
  if (isText(json)) {
    const known = textNames.get(name)
    // The flat line's way to say that the client sent none.
    if (known !== undefined) return json === '"-"' ? [] : [[known, json]]
    if (name === 'path_with_query') return targetMembers(json)
    return name === 'remote_ip' ? clientMembers(json) : undefined
  }
  if (!isNumber(json)) return undefined
  if (name === 'elapsed') return [['event.duration', String(Math.round(Number(json) * 1e9))]]
  const known = numberNames.get(name)
  return known === undefined ? undefined : [[known, json]]
}

function targetMembers(json: string): readonly Member[] {
  const { path, query } = splitTarget(JSON.parse(json) as string)
  const members: Member[] = [
    ['url.original', json],
    ['url.path', quote(path)],
  ]
  return query === undefined ? members : [...members, ['url.query', quote(query)]]
}

function clientMembers(json: string): readonly Member[] {
  const { address, port } = addressOf(JSON.parse(json) as string)
  const members: Member[] = [['client.address', quote(address)]]
  // A document whose `ip` is none is refused as a whole.
  if (isIP(address) !== 0) members.push(['client.ip', quote(address)])
  return port === undefined || port > 65_535 ? members : [...members, ['client.port', String(port)]]
}
