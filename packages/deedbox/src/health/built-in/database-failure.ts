import { collectedErrors, errorName, followed } from '../../safety/index.ts'
import { ownText } from './error-line.ts'

/** What has to be mended, as far as drivers tell it. */
export type DatabaseFailureKind =
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'exhausted'
  | 'credentials'
  | 'database'
  | 'permission'
  | 'certificate'
  | 'busy'
  | 'lost'
  /** The driver or the server says something else. */
  | 'other'
  /** Neither of them says it: this comes from how the service uses them. */
  | 'misused'

/** What an error of a database means. */
export interface DatabaseFailure {
  readonly kind: DatabaseFailureKind
  /** The server's or driver's own code, if there is one. */
  readonly code: string | undefined
  /** What it says; it may name users and more, and is not redacted. */
  readonly text: string
}

/**
 * The codes of the system, PostgreSQL (SQLSTATE), mysql2, MongoDB, SQLite, and Prisma. What two servers call alike means
 * the same.
 */
const kinds: Readonly<Record<string, DatabaseFailureKind>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  P1001: 'unreachable',
  ETIMEDOUT: 'timeout',
  PROTOCOL_SEQUENCE_TIMEOUT: 'timeout',
  P1002: 'timeout',
  P1008: 'timeout',
  57014: 'timeout',
  P2024: 'exhausted',
  P2037: 'exhausted',
  53300: 'exhausted',
  ER_CON_COUNT_ERROR: 'exhausted',
  ER_TOO_MANY_USER_CONNECTIONS: 'exhausted',
  ER_USER_LIMIT_REACHED: 'exhausted',
  28000: 'credentials',
  '28P01': 'credentials',
  ER_ACCESS_DENIED_ERROR: 'credentials',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'credentials',
  AUTH_SWITCH_PLUGIN_ERROR: 'credentials',
  18: 'credentials',
  P1000: 'credentials',
  '3D000': 'database',
  ER_BAD_DB_ERROR: 'database',
  P1003: 'database',
  42501: 'permission',
  ER_DBACCESS_DENIED_ERROR: 'permission',
  13: 'permission',
  P1010: 'permission',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate',
  CERT_HAS_EXPIRED: 'certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate',
  HANDSHAKE_SSL_ERROR: 'certificate',
  HANDSHAKE_NO_SSL_SUPPORT: 'certificate',
  P1011: 'certificate',
  '57P03': 'busy',
  SQLITE_BUSY: 'busy',
  SQLITE_LOCKED: 'busy',
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  '57P01': 'lost',
  '57P02': 'lost',
  '08006': 'lost',
  PROTOCOL_CONNECTION_LOST: 'lost',
  P1017: 'lost',
}

/** What drivers and pools say without a code. */
const sayings: readonly (readonly [RegExp, DatabaseFailureKind])[] = [
  // pg-pool says this of a connection in use alone, for which it waited.
  [/^timeout exceeded when trying to connect$/, 'exhausted'],
  [/^(Queue limit reached|No connections available)\.?$/, 'exhausted'],
  // The pool of Knex and Sequelize.
  [/Timeout acquiring a connection|Operation timeout|ResourceRequest timed out/, 'exhausted'],
  [/^Timed out while checking out a connection from connection pool/, 'exhausted'],
  [/^Connection terminated due to connection timeout$/, 'timeout'],
  [/^(Query read timeout|timeout expired)$/, 'timeout'],
  [/^Connection terminated( unexpectedly)?$|^Client has encountered a connection error/, 'lost'],
  [/^Can't add new command when connection is in closed state/, 'lost'],
  [/^SASL: .*password/, 'credentials'],
  // For a library that does not hand on the server's code.
  [/authentication failed|^Access denied for user|no pg_hba\.conf entry/i, 'credentials'],
  [/^The server does not support SSL connections$/, 'certificate'],
]

/** SQLITE_BUSY and SQLITE_LOCKED, which Node calls `ERR_SQLITE_ERROR` like all others. */
const sqliteBusy: ReadonlySet<number> = new Set([5, 6])

/** What of an error and its causes tells most. Reads any value, and never throws. */
export function databaseFailure(error: unknown): DatabaseFailure {
  let best: DatabaseFailure = { kind: 'misused', code: undefined, text: ownText(error) }
  // What an error is about by its text alone; one below it may have the code.
  let told: DatabaseFailure | undefined
  for (const each of chainOf(error)) {
    const failure = failureOf(each)
    if (failure.kind !== 'misused' && failure.kind !== 'other') {
      if (failure.code !== undefined) return failure
      told ??= failure
    }
    if (best.kind === 'misused') best = failure.kind === 'other' ? failure : best
  }
  return told ?? best
}

function failureOf(error: unknown): DatabaseFailure {
  const { code, errorCode, errcode, errno, sqlState, codeName } = fieldsOf(error)
  const text = ownText(error)
  const told = [code, errorCode].find(each => typeof each === 'string' || typeof each === 'number')
  const own = told === undefined ? undefined : String(told)
  // Extended codes of SQLite have the plain one before their last part: SQLITE_BUSY_SNAPSHOT.
  const plain = own?.startsWith('SQLITE_') ? own.split('_').slice(0, 2).join('_') : own
  const isMongo = errorName(error).startsWith('Mongo')
  const saying = sayings.find(([pattern]) => pattern.test(text))?.[1]
  const byNumber = typeof errcode === 'number' && sqliteBusy.has(errcode & 0xff) ? 'busy' : undefined
  const byCode =
    plain !== undefined && Object.hasOwn(kinds, plain) && (isMongo || !/^\d{1,2}$/.test(plain))
      ? kinds[plain]
      : undefined
  const kind = byCode ?? byNumber ?? saying
  const shown = isMongo && typeof codeName === 'string' ? codeName : own
  if (kind !== undefined) return { kind, code: shown, text }
  const isDrivers =
    isMongo ||
    typeof errno === 'number' ||
    typeof errcode === 'number' ||
    typeof sqlState === 'string' ||
    (own !== undefined &&
      /^([0-9A-Z]{5}|E[A-Z0-9]+|(ER|SQLITE|PROTOCOL|POOL|HANDSHAKE)_\w+|P\d{4})$/.test(own))
  return { kind: isDrivers ? 'other' : 'misused', code: shown, text }
}

/** Where libraries keep what their driver threw: `cause`; Sequelize's `original`, TypeORM's `driverError`. */
const wrapping = ['cause', 'original', 'driverError', 'reason'] as const

/** An error, those that it collects, and their causes. */
function chainOf(error: unknown): unknown[] {
  const chain = [error]
  for (let at = 0; at < chain.length && chain.length < followed * 2; at++) {
    const fields = fieldsOf(chain[at])
    for (const next of [...wrapping.map(name => fields[name]), ...collectedErrors(chain[at])])
      if (next instanceof Error && !chain.includes(next)) chain.push(next)
  }
  return chain
}

type Fields = Readonly<Partial<Record<string, unknown>>>

function fieldsOf(error: unknown): Fields {
  const names = ['code', 'errorCode', 'errcode', 'errno', 'sqlState', 'codeName', ...wrapping]
  try {
    return Object.fromEntries(names.map(name => [name, Object(error)[name]]))
  } catch {
    return {}
  }
}
