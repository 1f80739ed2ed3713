import { types } from 'node:util'
import { errorMessage, errorName, errorStack } from './error-text.ts'
import { quote } from './quote.ts'
import type { Redactor } from './redaction.ts'
import { type PathNode, stepInto } from './redaction-paths.ts'

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

/** The state of one walk. */
interface Walk {
  readonly ancestors: object[]
  room: number
  cut: boolean
}

/** Builds the serializer that renders with the given policy and limits. */
export function createSerializer(redactor: Redactor, limits: SerializerLimits): Serializer {
  const blank = quote(redactor.replacement)

  const text = (value: string): string => {
    if (value.length <= limits.textLength) return quote(redactor.text(value))
    // A little more than is shown is searched, so that a secret across the edge is still recognised.
    const shown = redactor.text(value.slice(0, limits.textLength + 512)).slice(0, limits.textLength)
    return quote(`${shown}…[+${value.length - limits.textLength} characters]`)
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
      const pairs = [...value]
      if (!pairs.every(([key]) => typeof key === 'string')) {
        return list(pairs.map(blankSecretPair), pairs.length, place, walk)
      }
      const byName = new Map(pairs as [string, unknown][])
      return members([...byName.keys()], key => byName.get(key), place, walk)
    }
    if (types.isSet(value)) return list([...value], value.size, place, walk)
    if (types.isRegExp(value)) return text(String(value))
    if (types.isBoxedPrimitive(value)) return write(value.valueOf(), place, walk)
    if (value instanceof URL) return quote(redactor.url(value.href))
    if (types.isPromise(value)) return '"[Promise]"'
    if (types.isWeakMap(value) || types.isWeakSet(value)) return '"[Weak]"'
    return undefined
  }

  const blankSecretPair = ([key, value]: [unknown, unknown]): [unknown, unknown] =>
    typeof key === 'string' && redactor.key(key).secret ? [key, redactor.replacement] : [key, value]

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
  ): string => {
    let json = '['
    for (let i = 0; i < length; i++) {
      if (i > 0) json += ','
      if (i >= limits.entries || walk.room <= 0) {
        walk.cut = true
        return `${json}"[+${length - i} more]"]`
      }
      const inner = place === undefined ? undefined : stepInto(place, String(i))
      json += inner?.blank === true ? blank : (write(values[i], inner, walk) ?? 'null')
    }
    return `${json}]`
  }

  const members = (
    keys: readonly string[],
    read: (key: string) => unknown,
    place: PathNode | undefined,
    walk: Walk,
  ): string => {
    let json = '{'
    let written = 0
    for (const key of keys) {
      if (written >= limits.entries || walk.room <= 0) {
        walk.cut = true
        return `${json}${written > 0 ? ',' : ''}"…":"[+${keys.length - written} more]"}`
      }
      const member = one(key, read, stepInto(place, key), walk)
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
  ): string | undefined => {
    const rule = redactor.key(key)
    walk.room -= rule.json.length
    if (place?.blank === true) return rule.json + blank
    let value: unknown
    try {
      value = read(key)
    } catch (error) {
      return rule.json + text(`[Unreadable: ${errorMessage(error)}]`)
    }
    // That a secret is absent, or whether a flag is set, is no secret, and telling so helps whoever debugs.
    if (rule.secret && value !== null && value !== undefined && typeof value !== 'boolean')
      return rule.json + blank
    const json = write(value, place, walk)
    return json === undefined ? undefined : rule.json + json
  }

  const bytes = (value: Uint8Array | DataView, walk: Walk): string => {
    const shown = Math.min(value.byteLength, limits.textLength)
    const base64 = Buffer.from(value.buffer, value.byteOffset, shown).toString('base64')
    if (shown === value.byteLength) return `"${base64}"`
    walk.cut = true
    return `"${base64}…[+${value.byteLength - shown} bytes]"`
  }

  return {
    text,
    member: (key, value) => {
      const walk: Walk = { ancestors: [], room: limits.totalLength, cut: false }
      return one(key, () => value, stepInto(redactor.paths, key), walk)
    },
    serialize: value => {
      const walk: Walk = { ancestors: [], room: limits.totalLength, cut: false }
      const json = write(value, redactor.paths, walk) ?? 'null'
      return { json, cut: walk.cut }
    },
  }
}
