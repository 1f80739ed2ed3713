import { ConfigurationError } from '../safety/index.ts'
import { type ChestOptions, checkWhole } from './chest-options.ts'
import { checkedIdentifier } from './identifier.ts'

/** What chests in a table of a database server take. */
export interface SqlChestOptions extends ChestOptions {
  /** The table, and what stands in the chest's id. Default `tracked_variables`. */
  readonly name?: string | undefined
  /** Days after which entries are deleted. Default: never. */
  readonly retentionDays?: number | undefined
  /** Milliseconds for a connection, and for each transaction, before it is given up. Default 30,000. */
  readonly timeout?: number | undefined
}

/** How connections are encrypted. */
export interface ServerTls {
  /** PEM of whoever vouches for the server's certificate, or of itself. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** PEM of a certificate of our own, and its key. */
  readonly cert?: string | Uint8Array | undefined
  readonly key?: string | Uint8Array | undefined
  /** `false` accepts every certificate. Default `true`. */
  readonly verify?: boolean | undefined
}

/** Where a database server is, and who asks. */
export interface ServerOptions extends SqlChestOptions {
  /** Default `localhost`. */
  readonly host?: string | undefined
  readonly port?: number | string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly database?: string | undefined
  /** `true`: encrypted, the certificate verified. Default: what the URL says, else not encrypted. */
  readonly tls?: boolean | ServerTls | undefined
}

/** A server's address, read. */
export interface ServerConnection {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly tls: boolean | ServerTls
  /** What else a URL says, for the driver. */
  readonly parameters: Readonly<Record<string, string>>
}

/** What of the options is about this kind of chest, read. */
export interface SqlChestSettings {
  readonly table: string
  readonly retentionDays: number | undefined
  readonly timeout: number
}

/** The names of {@link SqlChestOptions} that not all chests have. */
export const sqlChestOptions: readonly string[] = ['retentionDays', 'timeout']
/** The names of {@link ServerOptions} that tell where the server is. */
export const placeOptions: readonly string[] = ['host', 'port', 'user', 'password', 'database']

/** @throws ConfigurationError naming the option at fault */
export function sqlChestSettings(taker: string, options: SqlChestOptions): SqlChestSettings {
  const { name = 'tracked_variables', retentionDays, timeout = 30_000 } = options
  checkWhole(`${taker}: retentionDays`, retentionDays, 1, 36_500)
  checkWhole(`${taker}: timeout`, timeout, 100, 3_600_000)
  return { table: checkedIdentifier(`${taker}: name`, name), retentionDays, timeout }
}

/**
 * Where the server is by its options.
 * @throws ConfigurationError naming the option at fault
 */
export function connectionOf(taker: string, options: ServerOptions, port: number): ServerConnection {
  const { host = 'localhost', user, password, database, tls = false } = options
  for (const [name, text] of Object.entries({ host, user, password, database }))
    if (
      text !== undefined &&
      (typeof text !== 'string' || text.includes('\0') || (text === '' && name !== 'password'))
    )
      throw new ConfigurationError(`${taker}: ${name}`, 'a text is needed.')
  const given: unknown = options.port ?? port
  const asNumber = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  if (asNumber === undefined || given === '')
    throw new ConfigurationError(`${taker}: port`, 'a port is needed.')
  checkWhole(`${taker}: port`, asNumber, 1, 65_535)
  return {
    host,
    port: Number(asNumber),
    user,
    password,
    database,
    tls: checkedTls(taker, tls),
    parameters: {},
  }
}

/** What the URLs of one kind of server are like. */
export interface ServerUrls {
  /** The usual one first. */
  readonly schemes: readonly string[]
  readonly port: number
  /** Parameters that its driver gets, beside those about TLS. */
  readonly parameters: readonly string[]
}

const tlsParameters = ['sslmode', 'ssl-mode', 'ssl']

/**
 * Where the server is by its URL: `postgres://user:password@host:5432/database?sslmode=verify-full`.
 * @throws ConfigurationError which does not repeat the URL, for it may have a password
 */
export function connectionIn(
  taker: string,
  text: string,
  { schemes, port, parameters: known }: ServerUrls,
  { tls }: ServerOptions,
): ServerConnection {
  const url = URL.parse(text)
  const setting = `${taker}: url`
  if (url === null || !schemes.includes(url.protocol.slice(0, -1)))
    throw new ConfigurationError(
      setting,
      `a URL is needed: ${schemes[0]}://user:password@host:${port}/database.`,
    )
  const parameters: Record<string, string> = {}
  let mode: string | undefined
  for (const [name, value] of url.searchParams)
    if (tlsParameters.includes(name)) mode = value
    else if (known.includes(name)) parameters[name] = value
    else
      throw new ConfigurationError(
        setting,
        `the parameter ${name} is not known. There are: ${[...tlsParameters, ...known].join(', ')}.`,
      )
  const part = (raw: string): string | undefined => (raw === '' ? undefined : decoded(setting, raw))
  // Brackets are the URL's, not the address's.
  const host = decoded(setting, url.hostname).replace(/^\[(.*)\]$/, '$1')
  const read = connectionOf(
    taker,
    {
      host: host === '' ? undefined : host,
      port: url.port === '' ? undefined : url.port,
      user: part(url.username),
      password: part(url.password),
      database: part(url.pathname.replace(/^\//, '')),
      tls: tls ?? (mode === undefined ? undefined : tlsOf(setting, mode)),
    },
    port,
  )
  return { ...read, parameters }
}

/** Where that is, without user and password. */
export function addressOf(scheme: string, { host, port, database }: ServerConnection): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/${encodeURIComponent(database ?? '')}`
}

function decoded(setting: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new ConfigurationError(setting, 'a % in a user, a password or a database is written as %25.')
  }
}

/** The words of PostgreSQL, of MySQL and of their drivers. */
function tlsOf(setting: string, mode: string): boolean | ServerTls {
  switch (mode.toLowerCase().replaceAll('_', '-').replace(/\s/g, '')) {
    case 'disable':
    case 'disabled':
    case 'false':
    case '0':
      return false
    case 'require':
    case 'required':
    case 'verify-ca':
    case 'verify-full':
    case 'verify-identity':
    case 'true':
    case '1':
    case '{"rejectunauthorized":true}':
      return true
    case 'no-verify':
    case '{"rejectunauthorized":false}':
      return { verify: false }
    default:
      throw new ConfigurationError(
        setting,
        'sslmode may be disable, require (which verifies the certificate) or no-verify; certificates are given with the option tls.',
      )
  }
}

function checkedTls(taker: string, tls: unknown): boolean | ServerTls {
  if (typeof tls === 'boolean') return tls
  const setting = `${taker}: tls`
  if (typeof tls !== 'object' || tls === null || Array.isArray(tls))
    throw new ConfigurationError(setting, 'true, false or { ca, cert, key, verify } is needed.')
  for (const name of Object.keys(tls))
    if (!['ca', 'cert', 'key', 'verify'].includes(name))
      throw new ConfigurationError(
        `${setting}.${name}`,
        'there is no such option. There are: ca, cert, key, verify.',
      )
  const { verify = true } = tls as ServerTls
  if (typeof verify !== 'boolean')
    throw new ConfigurationError(`${setting}.verify`, 'true or false is needed.')
  return tls
}
