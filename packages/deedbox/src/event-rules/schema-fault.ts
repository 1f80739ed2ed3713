import type { JsonSchema } from './event-schema.ts'

/** The first thing that a value has against a schema, as JSON Schema validators report it. */
export interface SchemaFault {
  readonly keyword: string
  /** JSON pointer into the value. */
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string | undefined
}

/**
 * Finds the first fault of a value, for the few keywords that the schema of an event uses, in the order and the words
 * of ajv: the ledger compiles the same schema with that, and a test holds the two together. The SDK has no validator
 * among its dependencies, and needs none for tests.
 */
export function firstFault(schema: JsonSchema, value: unknown, path = ''): SchemaFault | undefined {
  const fault = (keyword: string, message: string, params: Record<string, unknown> = {}): SchemaFault => ({
    keyword,
    instancePath: path,
    params,
    message,
  })
  const { type } = schema
  if (typeof type === 'string' && !isOf(type, value)) return fault('type', `must be ${type}`)
  if (typeof value === 'number') {
    const { minimum } = schema
    return typeof minimum === 'number' && value < minimum
      ? fault('minimum', `must be >= ${minimum}`)
      : undefined
  }
  if (typeof value === 'string') return textFault(schema, value, fault)
  if (Array.isArray(value)) return arrayFault(schema, value, path, fault)
  if (typeof value === 'object' && value !== null) return objectFault(schema, value, path, fault)
  return undefined
}

type MakeFault = (keyword: string, message: string, params?: Record<string, unknown>) => SchemaFault

function isOf(type: string, value: unknown): boolean {
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

function textFault(schema: JsonSchema, text: string, fault: MakeFault): SchemaFault | undefined {
  const { maxLength, minLength, pattern, enum: allowed } = schema
  // In code points, which are at most as many as the UTF-16 units.
  if (typeof maxLength === 'number' && text.length > maxLength && [...text].length > maxLength)
    return fault('maxLength', `must NOT have more than ${maxLength} characters`)
  if (typeof minLength === 'number' && text.length < minLength)
    return fault('minLength', `must NOT have fewer than ${minLength} characters`)
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(text))
    return fault('pattern', `must match pattern "${pattern}"`)
  if (Array.isArray(allowed) && !allowed.includes(text))
    return fault('enum', 'must be equal to one of the allowed values', { allowedValues: allowed })
  return undefined
}

function arrayFault(
  { maxItems, items }: JsonSchema,
  array: readonly unknown[],
  path: string,
  fault: MakeFault,
): SchemaFault | undefined {
  if (typeof maxItems === 'number' && array.length > maxItems)
    return fault('maxItems', `must NOT have more than ${maxItems} items`)
  if (items === undefined) return undefined
  for (const [i, item] of array.entries()) {
    const found = firstFault(items as JsonSchema, item, `${path}/${i}`)
    if (found !== undefined) return found
  }
  return undefined
}

function objectFault(
  schema: JsonSchema,
  value: object,
  path: string,
  fault: MakeFault,
): SchemaFault | undefined {
  const { required, additionalProperties } = schema
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>
  for (const name of (required ?? []) as readonly string[]) {
    if (Reflect.get(value, name) === undefined)
      return fault('required', `must have required property '${name}'`, { missingProperty: name })
  }
  if (additionalProperties === false) {
    const further = Object.keys(value).find(name => !Object.hasOwn(properties, name))
    if (further !== undefined)
      return fault('additionalProperties', 'must NOT have additional properties', {
        additionalProperty: further,
      })
  }
  for (const [name, property] of Object.entries(properties)) {
    const member: unknown = Reflect.get(value, name)
    const found = member === undefined ? undefined : firstFault(property, member, `${path}/${name}`)
    if (found !== undefined) return found
  }
  return undefined
}
