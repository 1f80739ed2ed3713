import { ConfigurationError } from '../safety/index.ts'

/** Where an InfluxDB is. Either `url`, or the three of the original. (FC-16) */
export interface InfluxAddress {
  /** `https://host:8086`, with the other members of this interface as parameters; a path before them is kept. */
  readonly url?: string | undefined
  /** Default `false`. */
  readonly https?: boolean | undefined
  /** Default `localhost`. */
  readonly host?: string | undefined
  /** Default 8086. */
  readonly port?: number | string | undefined
  /** For InfluxDB 1, `user:password`. Default: none. */
  readonly token?: string | undefined
  /** Default `my-org`. */
  readonly org?: string | undefined
  /** Default `my-bucket`. */
  readonly bucket?: string | undefined
  /** InfluxDB 1 has databases in place of organisations and buckets: with it, writes are those of version 1. */
  readonly database?: string | undefined
  /** Of the database. Default: its own default. */
  readonly retentionPolicy?: string | undefined
}

/** Where and as whom a chest writes. */
export interface InfluxPlace {
  /** Scheme, host, port and path, without a slash at the end. */
  readonly base: string
  /** What follows `base` in the URL that is written to. Holds no secret. */
  readonly path: string
  /** The header that says who writes; `undefined` for nobody. */
  readonly authorization: string | undefined
  /** The bucket, or the database. */
  readonly name: string
}

const parameters = ['token', 'org', 'bucket', 'database', 'retentionPolicy'] as const

/**
 * Reads where an InfluxDB is.
 * @throws ConfigurationError naming the option, without what it holds
 */
export function influxPlace(address: InfluxAddress): InfluxPlace {
  const { base, ...inUrl } = address.url === undefined ? baseOfParts(address) : baseOfUrl(address)
  const given: Record<(typeof parameters)[number], string | undefined> = {
    token: '',
    org: undefined,
    bucket: undefined,
    database: undefined,
    retentionPolicy: undefined,
  }
  for (const name of parameters) {
    const value: unknown = inUrl.parameters?.[name] ?? address[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || (value === '' && name !== 'token'))
      throw new ConfigurationError(`influx(): ${name}`, 'a text is needed.')
    given[name] = value
  }
  const { token = '', database, retentionPolicy } = given
  if (/[^\x20-\x7e]/.test(token))
    throw new ConfigurationError('influx(): token', 'it holds characters that no header can say.')
  if (database === undefined) {
    if (retentionPolicy !== undefined)
      throw new ConfigurationError('influx(): retentionPolicy', 'it belongs to a database. Give both.')
    const { org = 'my-org', bucket = 'my-bucket' } = given
    const query = `org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(bucket)}`
    return {
      base,
      path: `/api/v2/write?${query}&precision=ns`,
      authorization: token === '' ? undefined : `Token ${token}`,
      name: bucket,
    }
  }
  if (given.org !== undefined || given.bucket !== undefined)
    throw new ConfigurationError(
      'influx(): database',
      'it is for InfluxDB 1, org and bucket are for InfluxDB 2. Use one of them.',
    )
  const policy = retentionPolicy === undefined ? '' : `&rp=${encodeURIComponent(retentionPolicy)}`
  return {
    base,
    path: `/write?db=${encodeURIComponent(database)}${policy}&precision=ns`,
    authorization: token === '' ? undefined : `Basic ${Buffer.from(token).toString('base64')}`,
    name: database,
  }
}

interface Base {
  readonly base: string
  readonly parameters?: Readonly<Record<string, string>>
}

function baseOfParts({ https = false, host = 'localhost', port = 8086 }: InfluxAddress): Base {
  if (typeof https !== 'boolean') throw new ConfigurationError('influx(): https', 'true or false is needed.')
  const number = typeof port === 'string' && /^\d{1,5}$/.test(port) ? Number(port) : port
  if (!Number.isInteger(number) || Number(number) < 1 || Number(number) > 65_535)
    throw new ConfigurationError('influx(): port', 'a whole number from 1 to 65535 is needed.')
  const name = typeof host === 'string' && host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const url = typeof host === 'string' ? URL.parse(`http${https ? 's' : ''}://${name}:${number}`) : null
  if (url === null || url.host === '' || url.username !== '' || url.pathname !== '/' || url.search !== '')
    throw new ConfigurationError('influx(): host', 'the name or the address of a host is needed.')
  return { base: url.origin }
}

function baseOfUrl({ url: given, ...others }: InfluxAddress): Base {
  for (const name of ['https', 'host', 'port'] as const)
    if (others[name] !== undefined)
      throw new ConfigurationError(`influx(): ${name}`, 'the url says it already. Use one of them.')
  const url = typeof given === 'string' ? URL.parse(given) : null
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new ConfigurationError(
      'influx(): url',
      'this is no URL. It looks like http://localhost:8086?org=my-org&bucket=my-bucket.',
    )
  const found: Record<string, string> = {}
  for (const [name, value] of url.searchParams) {
    if (!(parameters as readonly string[]).includes(name))
      throw new ConfigurationError(
        'influx(): url',
        `it has a parameter that is unknown. There are: ${parameters.join(', ')}.`,
      )
    if (others[name as 'org'] !== undefined)
      throw new ConfigurationError(`influx(): ${name}`, 'the url says it already. Use one of them.')
    found[name] = value
  }
  if (url.username !== '' || url.password !== '')
    found.token ??= `${decoded(url.username)}:${decoded(url.password)}`
  return { base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, parameters: found }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
