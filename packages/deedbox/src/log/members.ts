import { errorMessage, type Serializer } from '../safety/index.ts'
import { type LineHead, longestLine, readField } from './line.ts'

/** A name with its value as JSON. */
export type Member = readonly [name: string, json: string]

/** Whose lines they are, for formats that say so on each. */
export interface Origin {
  readonly service: string
  /** `production`, `staging`, … */
  readonly env: string
}

/**
 * What the head of a line holds ready: the request's id, for request lines all that is known of the request. Values
 * stay as they are written, since the payload of an audit event may hold numbers that a parser would round.
 */
export function renderedMembers({ members }: LineHead): Member[] {
  const list: Member[] = []
  for (let at = 0; at < members.length; ) {
    const colon = endOfText(members, at + 1)
    const end = endOfValue(members, colon + 1)
    list.push([JSON.parse(members.slice(at + 1, colon)) as string, members.slice(colon + 1, end)])
    at = end
  }
  return list
}

/**
 * Renders the caller's fields one by one, and hands each to `place`. What `place` refuses, because the name is taken,
 * goes under `fields`, as in the flat format. (FA-06) Never throws.
 * @param place takes a member, or answers `false`; is given no name twice
 * @param onCollision told each name that was refused
 */
export function placeFields(
  serializer: Serializer,
  fields: Readonly<Record<string, unknown>> | undefined,
  place: (name: string, json: string) => boolean,
  onCollision: (key: string) => void,
): void {
  if (fields === undefined) return
  let keys: readonly string[] = []
  try {
    keys = Object.keys(fields)
  } catch (error) {
    place('fields_unreadable', serializer.text(errorMessage(error)))
  }
  const moved: string[] = []
  const seen = new Set<string>()
  let length = 0
  for (const key of keys) {
    if (length > longestLine) {
      place('fields_cut', 'true')
      break
    }
    const member = serializer.member(key, readField(fields, key))
    if (member === undefined) continue
    length += member.length
    const end = endOfText(member, 0)
    const name = JSON.parse(member.slice(0, end)) as string
    // Different names may read alike once their secrets are blanked, and readers refuse a name that comes twice.
    if (seen.has(name)) continue
    seen.add(name)
    const isOurs = name === 'fields' || name === 'fields_cut'
    if (!isOurs && place(name, member.slice(end + 1))) continue
    moved.push(member)
    if (name !== 'fields') onCollision(key)
  }
  if (moved.length > 0) place('fields', `{${moved.join(',')}}`)
}

/** Where a text ends that begins with the quotation mark at `start`. */
function endOfText(json: string, start: number): number {
  let end = start + 1
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1
  return end + 1
}

/** Where the value ends that begins at `start`: at the comma behind it, or with everything. */
function endOfValue(json: string, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const sign = json[at]
    if (sign === '"') at = endOfText(json, at) - 1
    else if (sign === '{' || sign === '[') depth++
    else if (sign === '}' || sign === ']') depth--
    else if (sign === ',' && depth === 0) return at
  }
  return json.length
}

/** Whether a value, as JSON, is a text. */
export function isText(json: string): boolean {
  return json.startsWith('"')
}

/** Whether a value, as JSON, is a number. */
export function isNumber(json: string): boolean {
  return /^-?\d/.test(json)
}

/** Nanoseconds since 1970, as digits: they exceed what a number holds exactly. (DF-50) */
export function nanoseconds(instant: number): string {
  return instant > 0 ? `${instant}000` : '0'
}

/** Where a log call stands, apart. */
export interface Place {
  readonly file: string
  readonly functionName: string | undefined
  readonly line: number | undefined
}

/** Takes a `source` apart: `file:function:line`, where file and function may hold a colon themselves. */
export function placeOf(source: string): Place {
  const last = source.lastIndexOf(':')
  const first = source.indexOf(':', source.startsWith('node:') ? 5 : 0)
  const line = source.slice(last + 1)
  if (first < 0 || first === last || !/^\d+$/.test(line))
    return { file: source, functionName: undefined, line: undefined }
  return { file: source.slice(0, first), functionName: source.slice(first + 1, last), line: Number(line) }
}

/** The address that a request line names, and its port if there is one: `10.0.0.9:5000`, `[2001:db8::1]:5000`. */
export function addressOf(remote: string): { readonly address: string; readonly port: number | undefined } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(remote)
  const address = match?.[1] ?? match?.[2]
  return address === undefined ? { address: remote, port: undefined } : { address, port: Number(match?.[3]) }
}

/** The path of a request line's `path_with_query`, and what stands behind the question mark, if there is one. */
export function splitTarget(target: string): { readonly path: string; readonly query: string | undefined } {
  const question = target.indexOf('?')
  return question < 0
    ? { path: target, query: undefined }
    : { path: target.slice(0, question), query: target.slice(question + 1) }
}
