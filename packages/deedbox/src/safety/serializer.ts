import { types } from 'node:util'
import { errorMessage, errorName, errorStack } from './error-text.ts'
import { Lazy } from './lazy.ts'
import { quote } from './quote.ts'
import type { Redactor } from './redaction.ts'
import { type PathNode, stepInto } from './redaction-paths.ts'
import { remember } from './remember.ts'

/** How much of a value is written; what lies beyond is replaced by a note that says so. */
export interface SerializerLimits {
  /** Levels of nesting. */
  readonly depth: number
  /** Members of one object or list. */
  readonly entries: number
  /** UTF-16 code units of one text. */
  readonly textLength: number
  /** UTF-16 code units of the whole, roughly: the member that crosses it is still written. */
  readonly totalLength: number
}

/**
 * Turns any value into one valid JSON text: it never throws, never writes a line break, and redacts on the way.
 * BigInt, Map, Set, Date (also invalid), Error (with cause and errors), bytes, URL, RegExp, symbol, function,
 * NaN, cycles, throwing getters, throwing toJSON and lone surrogates are all written as something. (FA-08)
 */
export interface Serializer {
  /** A text as a JSON string, secrets blanked. */
  text(text: string): string
  /** The same for the message of a line; the last ones are remembered, because programs repeat them. */
  message(text: string): string
  /** One member of a top-level object: `"key":value`, or `undefined` where JSON has no value to write. */
  member(key: string, value: unknown): string | undefined
  /** A whole value; `cut` says that a limit was reached, so that not all of it was written. */
  serialize(value: unknown): { readonly json: string; readonly cut: boolean }
}

/** What suits a log line: whole where sane, and never a line of megabytes. */
export const logLimits: SerializerLimits = {
  depth: 10,
  entries: 200,
  textLength: 16_384,
  totalLength: 131_072,
}

/** How many messages are remembered. */
const rememberedMessages = 1_000

/** How far beyond what is shown of a text secrets are looked for. */
const beyondEdge = 512

/** Under these names Node lists the headers of a message: a name, its value, a name, its value. */
const flatLists: ReadonlySet<string> = new Set(['rawHeaders', 'rawTrailers'])

/** Members that say what the value beside them is of; under the name `data` only ajv's path does. */
const labels: readonly string[] = [
  'name',
  'Name',
  'key',
  'Key',
  'field',
  'header',
  'label',
  'param',
  'path',
  'property',
  'propertyName',
  'instancePath',
]

/** The state of one walk. */
interface Walk {
  readonly ancestors: object[]
  room: number
  cut: boolean
}

/** The number of entries of a map or set, whatever its own `size` says. */
function sizeOf(prototype: object, value: object): number {
  return Number(Reflect.get(prototype, 'size', value))
}

/** Builds the serializer that renders with the given policy and limits. */
export function createSerializer(redactor: Redactor, limits: SerializerLimits): Serializer {
  const blank = quote(redactor.replacement)

  const text = (value: string): string => {
    if (value.length <= limits.textLength) return quote(redactor.text(value))
    // A little more than is shown is searched, so that a secret across the edge is still recognised.
    const searched = redactor.text(value.slice(0, limits.textLength + beyondEdge))
    // Blanking may have drawn the end, where a secret is cut in two, before the edge.
    const isWhole = searched.endsWith(redactor.replacement)
    const shown = isWhole ? searched : searched.slice(0, Math.max(0, searched.length - beyondEdge))
    return quote(`${shown.slice(0, limits.textLength)}…[+${value.length - limits.textLength} characters]`)
  }

  const write = (value: unknown, place: PathNode | undefined, walk: Walk): string | undefined => {
    try {
      const json =
        typeof value === 'object' && value !== null ? object(value, place, walk) : scalar(value, walk)
      if (json !== undefined) walk.room -= json.length
      return json
    } catch (error) {
      return text(`[Unreadable: ${errorMessage(error)}]`)
    }
  }

  const scalar = (value: unknown, walk: Walk): string | undefined => {
    switch (typeof value) {
      case 'string':
        if (value.length > limits.textLength) walk.cut = true
        return text(value)
      case 'number':
        if (!Number.isFinite(value)) return 'null'
        return redactor.isSecretNumber(value) ? blank : String(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'bigint':
        return text(String(value))
      case 'symbol':
        return text(String(value))
      case 'function':
        return text(`[Function: ${String(value.name) || 'anonymous'}]`)
      default:
        return value === null ? 'null' : undefined
    }
  }

  const object = (value: object, place: PathNode | undefined, walk: Walk): string | undefined => {
    if (value instanceof Lazy) return write(value.value, place, walk)
    if (walk.ancestors.includes(value)) return '"[Circular]"'
    if (walk.room <= 0 || walk.ancestors.length >= limits.depth) {
      walk.cut = true
      return walk.room <= 0 ? '"[Truncated]"' : Array.isArray(value) ? '"[Array]"' : '"[Object]"'
    }
    walk.ancestors.push(value)
    try {
      return Array.isArray(value) ? list(value, value.length, place, walk) : structure(value, place, walk)
    } finally {
      walk.ancestors.pop()
    }
  }

  const structure = (value: object, place: PathNode | undefined, walk: Walk): string | undefined => {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      const special = exotic(value, place, walk)
      if (special !== undefined) return special
    }
    const toJson: unknown = Reflect.get(value, 'toJSON')
    if (typeof toJson === 'function') {
      const stood: unknown = toJson.call(value, '')
      if (stood !== value) return write(stood, place, walk)
    }
    return members(Object.keys(value), key => Reflect.get(value, key), place, walk)
  }

  /** What is not written as its own members. */
  const exotic = (value: object, place: PathNode | undefined, walk: Walk): string | undefined => {
    if (ArrayBuffer.isView(value)) {
      if (value instanceof Uint8Array || value instanceof DataView) return bytes(value, walk)
      const numbers = value as unknown as ArrayLike<number | bigint>
      return list(numbers, numbers.length, place, walk)
    }
    if (types.isAnyArrayBuffer(value)) return bytes(new Uint8Array(value), walk)
    if (types.isNativeError(value) || value instanceof Error) return error(value, place, walk)
    if (types.isMap(value)) {
      const pairs = first(Map.prototype.entries.call(value) as Iterator<[unknown, unknown]>)
      const size = sizeOf(Map.prototype, value)
      if (!pairs.every(([key]) => typeof key === 'string')) return list(pairs, size, place, walk)
      const byName = new Map(pairs as [string, unknown][])
      return members([...byName.keys()], key => byName.get(key), place, walk, size)
    }
    if (types.isSet(value))
      return list(first(Set.prototype.values.call(value)), sizeOf(Set.prototype, value), place, walk)
    if (types.isRegExp(value)) return text(String(value))
    if (types.isBoxedPrimitive(value)) return write(value.valueOf(), place, walk)
    if (value instanceof URL) return quote(redactor.url(value.href))
    if (types.isPromise(value)) return '"[Promise]"'
    if (types.isWeakMap(value) || types.isWeakSet(value)) return '"[Weak]"'
    return undefined
  }

  /** As many entries as may be written, and one that shows that there are more. */
  const first = <Entry>(entries: Iterator<Entry>): Entry[] => {
    const taken: Entry[] = []
    for (let next = entries.next(); next.done !== true; next = entries.next()) {
      taken.push(next.value)
      if (taken.length > limits.entries) break
    }
    return taken
  }

  const isSecretName = (name: unknown): boolean => typeof name === 'string' && redactor.key(name).secret

  /** Headers and forms are lists of pairs too: `[['cookie', …]]`. */
  const isSecretPair = (entry: unknown): entry is [string, unknown] =>
    Array.isArray(entry) && entry.length === 2 && isSecretName(entry[0])

  /** Whether a member beside a value says that it is secret. */
  const isLabelledSecret = (key: string, keys: readonly string[], read: (key: string) => unknown): boolean =>
    labels.some(label => {
      if (!keys.includes(label) || (key === 'data' && label !== 'instancePath')) return false
      const named = read(label)
      const last: unknown = Array.isArray(named) ? named.at(-1) : named
      return typeof last === 'string' && isSecretName(last.slice(last.search(/[^./]*$/)))
    })

  const error = (value: Error, place: PathNode | undefined, walk: Walk): string => {
    const own: Record<string, unknown> = { type: errorName(value), message: errorMessage(value) }
    const { cause } = value
    if (cause !== undefined) own.cause = cause
    if ('errors' in value) own.errors = value.errors
    for (const key of Object.keys(value)) {
      if (key !== 'stack' && !(key in own)) own[key] = Reflect.get(value, key)
    }
    own.stack = errorStack(value)
    return members(Object.keys(own), key => own[key], place, walk)
  }

  const list = (
    values: ArrayLike<unknown>,
    length: number,
    place: PathNode | undefined,
    walk: Walk,
    isFlat = false,
  ): string => {
    let json = '['
    for (let i = 0; i < length; i++) {
      if (i > 0) json += ','
      if (i >= limits.entries || walk.room <= 0) {
        walk.cut = true
        return `${json}"[+${length - i} more]"]`
      }
      const inner = place === undefined ? undefined : stepInto(place, String(i))
      const value = values[i]
      if (inner?.blank === true || (isFlat && i % 2 === 1 && isSecretName(values[i - 1]))) json += blank
      else if (isSecretPair(value)) json += `[${text(value[0])},${blank}]`
      else json += write(value, inner, walk) ?? 'null'
    }
    return `${json}]`
  }

  const members = (
    keys: readonly string[],
    read: (key: string) => unknown,
    place: PathNode | undefined,
    walk: Walk,
    size: number = keys.length,
  ): string => {
    let json = '{'
    let written = 0
    for (const key of keys) {
      if (written >= limits.entries || walk.room <= 0) {
        walk.cut = true
        return `${json}${written > 0 ? ',' : ''}"…":"[+${size - written} more]"}`
      }
      const member = one(key, read, stepInto(place, key), walk, keys)
      if (member === undefined) continue
      json += written++ > 0 ? `,${member}` : member
    }
    return `${json}}`
  }

  const one = (
    key: string,
    read: (key: string) => unknown,
    place: PathNode | undefined,
    walk: Walk,
    beside: readonly string[],
  ): string | undefined => {
    const rule = redactor.key(key)
    const name = key.length > limits.textLength ? `${text(key)}:` : rule.json
    walk.room -= name.length
    if (place?.blank === true) return name + blank
    try {
      const value = read(key)
      // That a secret is absent, or whether a flag is set, is no secret, and telling so helps whoever debugs.
      if (value !== null && value !== undefined && typeof value !== 'boolean') {
        if (rule.secret || (rule.isValue && isLabelledSecret(key, beside, read))) return name + blank
        if (flatLists.has(key) && Array.isArray(value))
          return name + list(value, value.length, place, walk, true)
      }
      const json = write(value, place, walk)
      return json === undefined ? undefined : name + json
    } catch (error) {
      return name + text(`[Unreadable: ${errorMessage(error)}]`)
    }
  }

  const bytes = (value: Uint8Array | DataView, walk: Walk): string => {
    const shown = Math.min(value.byteLength, limits.textLength)
    // Base64 hides a secret from those who look for it, not from those who want it.
    const held = Math.min(value.byteLength, limits.textLength + beyondEdge)
    const content = Buffer.from(value.buffer, value.byteOffset, held)
    const readable = content.toString('utf8')
    if (redactor.text(readable) !== readable) return blank
    const base64 = content.toString('base64', 0, shown)
    if (shown === value.byteLength) return `"${base64}"`
    walk.cut = true
    return `"${base64}…[+${value.byteLength - shown} bytes]"`
  }

  return {
    text,
    message: remember(text, rememberedMessages),
    member: (key, value) => {
      const walk: Walk = { ancestors: [], room: limits.totalLength, cut: false }
      return one(key, () => value, stepInto(redactor.paths, key), walk, [])
    },
    serialize: value => {
      const walk: Walk = { ancestors: [], room: limits.totalLength, cut: false }
      const json = write(value, redactor.paths, walk) ?? 'null'
      return { json, cut: walk.cut }
    },
  }
}
