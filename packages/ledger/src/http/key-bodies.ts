import { allScopes, checkExpiry, checkOverlap, latestTime, longestOverlap } from '../access/index.ts'
import { LedgerError } from '../errors.ts'
import { type JsonSchema, parseStrictJson } from '../events/index.ts'

const time: JsonSchema = { type: ['string', 'null'], format: 'date-time' }

const keyProperties: JsonSchema = {
  key_id: { type: 'string' },
  name: { type: 'string' },
  ledger: { type: 'string', description: 'The ledger of the file that it is of' },
  principal: { type: 'string', description: 'Who writes with it; survives rotation' },
  scopes: { type: 'array', items: { type: 'string', enum: allScopes } },
  state: { type: 'string', enum: ['active', 'replaced', 'expired', 'revoked'] },
  created_at: { type: 'string', format: 'date-time' },
  expires_at: time,
  revoked_at: time,
  replaced_by: { type: ['string', 'null'], description: 'The key that took its place' },
  last_used_at: { ...time, description: 'A note, up to a minute old; not part of what the ledger proves' },
}

/** Schema of the body of `POST /v1/keys`. */
export const newKeySchema: JsonSchema = {
  type: 'object',
  required: ['name', 'scopes'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 100 },
    scopes: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', enum: allScopes } },
    expires_in: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds from now; without it, or expires_at: never',
    },
    expires_at: { type: 'string', format: 'date-time' },
    ledger: {
      type: 'string',
      description: 'The ledger of the file that the key is for, by its name; default the first',
    },
  },
}

/** Schema of the body of `POST /v1/keys/{key_id}/rotate`. */
export const rotationSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    overlap_seconds: {
      type: 'integer',
      minimum: 0,
      maximum: longestOverlap / 1_000,
      default: 86_400,
      description: 'For so long the old key goes on working, unless it ends earlier anyway',
    },
  },
}

/** Schema of an answer about one key. */
export const keyAnswerSchema: JsonSchema = {
  type: 'object',
  properties: { ok: { type: 'boolean', const: true }, ...keyProperties },
}

/** Schema of an answer that shows a new key: in no other answer there is its text. */
export const newKeyAnswerSchema: JsonSchema = {
  type: 'object',
  properties: {
    ok: { type: 'boolean', const: true },
    key: { type: 'string', description: 'The key itself, shown this once' },
    ...keyProperties,
  },
}

/** Schema of the answer of `GET /v1/keys`. */
export const keyListSchema: JsonSchema = {
  type: 'object',
  properties: {
    ok: { type: 'boolean', const: true },
    keys: { type: 'array', items: { type: 'object', properties: keyProperties } },
  },
}

/**
 * Reads the body of `POST /v1/keys`. Name and scopes are checked where the key is made, and whether there is the ledger.
 *
 * @returns `expiresAt` in milliseconds since the epoch, or null; `ledger`, if it was sent
 * @throws LedgerError `malformed_json`, `invalid_key_settings`
 */
export function readNewKey(
  body: Uint8Array,
  now: number,
): { name: unknown; scopes: unknown; expiresAt: number | null; ledger?: string } {
  const known = ['name', 'scopes', 'expires_in', 'expires_at', 'ledger']
  const { name, scopes, expires_in, expires_at, ledger } = members(body, known)
  if (ledger !== undefined && typeof ledger !== 'string') throw invalid('ledger is the name of a ledger.')
  const expiresAt = readExpiry(expires_in, expires_at, now)
  return { name, scopes, expiresAt, ...(ledger === undefined ? {} : { ledger }) }
}

function readExpiry(seconds: unknown, time: unknown, now: number): number | null {
  if (seconds === undefined && time === undefined) return null
  if (seconds !== undefined && time !== undefined) throw invalid('Send expires_in or expires_at, not both.')
  if (time !== undefined) return checkExpiry(timeOf(time), now)
  if (!isInteger(seconds) || seconds < 1 || seconds > latestTime / 1_000) {
    throw invalid('expires_in is a whole number of seconds, at least 1.')
  }
  return checkExpiry(now + seconds * 1_000, now)
}

/**
 * Reads the body of `POST /v1/keys/{key_id}/rotate`, which may be empty.
 *
 * @returns `overlap` in milliseconds, if it was sent
 * @throws LedgerError `malformed_json`, `invalid_key_settings`
 */
export function readRotation(body: Uint8Array): { overlap?: number } {
  if (body.length === 0) return {}
  const { overlap_seconds: seconds } = members(body, ['overlap_seconds'])
  if (seconds === undefined) return {}
  if (!isInteger(seconds)) throw invalid('overlap_seconds is a whole number of seconds.')
  return { overlap: checkOverlap(seconds * 1_000) }
}

/** The members of a body. One that is not known is refused: a misspelt expiry would make a key that never ends. */
function members(body: Uint8Array, names: readonly string[]): Record<string, unknown> {
  const value = parseStrictJson(body, 'The body')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`The body is a JSON object with the members ${names.join(', ')}.`)
  }
  const unknown = Object.keys(value).find(name => !names.includes(name))
  if (unknown === undefined) return value as Record<string, unknown>
  throw invalid(`The body has the members ${names.join(', ')}; ${JSON.stringify(unknown)} is not one.`)
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function timeOf(value: unknown): number {
  const time = typeof value === 'string' && timeForm.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw invalid('expires_at is a time as 2030-01-31T12:00:00Z (RFC 3339).')
  return time
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value)
}

function invalid(message: string): LedgerError {
  return new LedgerError('invalid_key_settings', message)
}
