import type { TrackedValue } from '../tracking/index.ts'
import { type Member, quotedField } from './influx-line.ts'

/** What a variable may be declared as. `integer` is InfluxDB's own type of whole numbers; `number` is its float. */
export type InfluxType = 'string' | 'number' | 'integer' | 'boolean' | 'json'

/** How many fields are known at a time. A service whose variables have endless names learns again. */
const mostKnown = 20_000

/** What a field's key may end with, and what cannot be a variable's own name without such an ending. */
const ending = /_(?:string|number|boolean|json|null)$/

/**
 * Which field a value goes to. A field has one type, and a server refuses points with another one: so a value of another
 * type goes to a field beside it, `total_string` beside `total`, and nothing is lost. JSON and null always do, so that
 * what is read is what was written. (FC-18)
 */
export class FieldTypes {
  readonly #declared: Readonly<Record<string, InfluxType>>
  readonly #taken: ReadonlySet<string>
  /** As the server calls them, by measurement and field. */
  readonly #known = new Map<string, string>()

  /**
   * @param declared by the names of variables
   * @param taken keys that mean something else
   */
  constructor(declared: Readonly<Record<string, InfluxType>>, taken: Iterable<string>) {
    this.#declared = declared
    this.#taken = new Set(taken)
  }

  /**
   * The field for a value.
   * @param key the variable's own field
   * @param variable the name that it may be declared by
   */
  fieldFor(measurement: string, key: string, variable: string, value: TrackedValue): Member {
    if (value === null) return [`${key}_null`, 'true']
    const declared = Object.hasOwn(this.#declared, variable) ? this.#declared[variable] : undefined
    const scalar = declared === 'json' ? value : coerced(value, declared)
    if (declared === 'json' || typeof scalar === 'object')
      return [`${key}_json`, quotedField(JSON.stringify(scalar))]
    const beside = `${key}_${typeof scalar}`
    if (this.#taken.has(key) || ending.test(key)) return [beside, written(scalar)]
    const place = placeOf(measurement, key)
    let type = this.#known.get(place)
    if (type === undefined) {
      type = serverTypes[declared ?? typeOf(scalar)]
      this.learn(measurement, key, type)
    }
    if (type === 'integer' && Number.isSafeInteger(scalar)) return [key, `${scalar}i`]
    return [type === serverTypes[typeOf(scalar)] ? key : beside, written(scalar)]
  }

  /**
   * Takes in what type a field has at the server.
   * @returns whether that was news
   */
  learn(measurement: string, key: string, type: string): boolean {
    const place = placeOf(measurement, key)
    if (this.#known.get(place) === type) return false
    if (this.#known.size >= mostKnown) this.#known.clear()
    this.#known.set(place, type)
    return true
  }
}

const serverTypes = { string: 'string', number: 'float', integer: 'integer', boolean: 'boolean' } as const

function placeOf(measurement: string, key: string): string {
  return `${measurement}\n${key}`
}

function typeOf(scalar: string | number | boolean): 'string' | 'number' | 'boolean' {
  return typeof scalar as 'string' | 'number' | 'boolean'
}

function written(scalar: string | number | boolean): string {
  return typeof scalar === 'string' ? quotedField(scalar) : String(scalar)
}

/** The value as its declared type, where it can be that. */
function coerced(
  value: string | number | boolean | object,
  declared: Exclude<InfluxType, 'json'> | undefined,
): string | number | boolean | object {
  switch (declared) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'number':
    case 'integer':
      return typeof value === 'string' && decimal.test(value) ? asNumber(value) : value
    case 'boolean':
      if (value === 1 || value === 'true') return true
      return value === 0 || value === 'false' ? false : value
    default:
      return value
  }
}

const decimal = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i

/** Whole numbers that a number does not hold stay text. */
function asNumber(text: string): string | number {
  const number = Number(text)
  const isHeld = Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number))
  return isHeld ? number : text
}
