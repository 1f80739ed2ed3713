import {
  checkExpiry,
  checkKeyName,
  checkOverlap,
  checkPrincipal,
  checkScopes,
  type Scope,
} from '../access/index.ts'
import { LedgerError } from '../errors.ts'

const unitMilliseconds: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * A span of time such as `90d`, `24h`, `30m` or `10s`; `0` needs no unit.
 *
 * @returns milliseconds
 * @throws LedgerError `invalid_usage`
 */
export function readSpan(text: string, option: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (text === '0') return 0
  const factor = unitMilliseconds[unit]
  if (factor !== undefined) return Number(count) * factor
  throw new LedgerError(
    'invalid_usage',
    `${option} takes a time span such as 90d, 24h or 30m, not "${text}".`,
  )
}

/** What is asked for in a new key. */
export interface KeySettings {
  name: string
  scopes: Scope[]
  /** Milliseconds since the epoch; null: never. */
  expiresAt: number | null
  /** The ledger of the file that it is for; default the first one. */
  ledger?: string
  /** Who writes with it; default somebody new. */
  principal?: string
}

/**
 * What `--name`, `--scopes`, `--expires`, `--ledger` and `--principal` say of a new key. `--expires` is a span or an RFC 3339 time.
 *
 * @param now milliseconds since the epoch
 * @throws LedgerError `invalid_usage`
 */
export function readKeySettings(
  values: Partial<Record<'name' | 'scopes' | 'expires' | 'ledger' | 'principal', string | undefined>>,
  now: number,
): KeySettings {
  const { name, scopes, expires, ledger, principal } = values
  if (name === undefined || scopes === undefined) {
    throw new LedgerError(
      'invalid_usage',
      '"deedbox keys create" needs --name and --scopes, as in --name ci --scopes write,read.',
    )
  }
  return asUsage(() => ({
    name: checkKeyName(name),
    scopes: checkScopes(scopes.split(',')),
    expiresAt: expires === undefined ? null : checkExpiry(readExpiry(expires, now), now),
    ...(ledger === undefined ? {} : { ledger }),
    ...(principal === undefined ? {} : { principal: checkPrincipal(principal) }),
  }))
}

/**
 * What `--overlap` says.
 *
 * @returns milliseconds, or undefined without the option
 * @throws LedgerError `invalid_usage`
 */
export function readOverlap(text: string | undefined): number | undefined {
  return text === undefined ? undefined : asUsage(() => checkOverlap(readSpan(text, '--overlap')))
}

function readExpiry(text: string, now: number): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    return now + readSpan(text, '--expires')
  }
  const time = Date.parse(text)
  if (!Number.isNaN(time)) return time
  throw new LedgerError('invalid_usage', `--expires: ${text} is not a time.`)
}

/** What a client of the ledger would be told is here a wrong call of the command. */
function asUsage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof LedgerError) throw new LedgerError('invalid_usage', error.message)
    throw error
  }
}
