import assert from 'node:assert/strict'

/** The part of JSON Schema that the schemas of our tests use. */
export interface Schema {
  readonly type?: string
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  /** What members without a rule of their own have to be. */
  readonly additionalProperties?: Schema
  readonly minProperties?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: RegExp
}

/** What is wrong with a value, each with its place; nothing, if the schema allows it. A bigint is an integer. */
export function violations(value: unknown, schema: Schema, place = '$'): string[] {
  const found: string[] = []
  if (schema.type !== undefined && !isOfType(value, schema.type)) return [`${place} is no ${schema.type}`]
  if (schema.anyOf?.every(each => violations(value, each, place).length > 0))
    found.push(`${place} is none of what it may be: ${JSON.stringify(value)}`)
  if (schema.pattern?.test(String(value)) === false) found.push(`${place} does not look right`)
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (schema.minimum !== undefined && value < schema.minimum) found.push(`${place} is too small`)
    if (schema.maximum !== undefined && value > schema.maximum) found.push(`${place} is too large`)
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) found.push(`${place} has too few entries`)
    const { items } = schema
    if (items !== undefined)
      found.push(...value.flatMap((entry, at) => violations(entry, items, `${place}[${at}]`)))
  } else if (typeof value === 'object' && value !== null)
    found.push(...memberViolations(value, schema, place))
  return found
}

function memberViolations(value: object, schema: Schema, place: string): string[] {
  const found: string[] = []
  const members = Object.entries(value)
  if (members.length < (schema.minProperties ?? 0)) found.push(`${place} has too few members`)
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(value, name)) found.push(`${place} has no ${name}`)
  for (const [name, member] of members) {
    const own = schema.properties !== undefined && Object.hasOwn(schema.properties, name)
    const rule = own ? schema.properties?.[name] : schema.additionalProperties
    if (rule !== undefined) found.push(...violations(member, rule, `${place}.${name}`))
  }
  return found
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'integer') return typeof value === 'bigint' || Number.isInteger(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'number') return typeof value === 'number' || typeof value === 'bigint'
  // A JSON schema has no other types than JavaScript for these; a misspelt one would let everything fail.
  assert(['string', 'boolean'].includes(type), `a type that is none: ${type}`)
  return typeof value === type
}

/** Parses JSON and keeps whole numbers that a number cannot hold exactly as bigints. */
export function parseExactly(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown)
}
