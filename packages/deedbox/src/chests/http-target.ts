import { createHash } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { ConfigurationError, createRedactor } from '../safety/index.ts'
import type { Certificates, HttpWriterOptions } from './http-options.ts'

/** Where an HTTP writer posts to, and what of it is secret. */
export interface HttpTarget {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** What its certificate has to be. */
  readonly tls: { readonly rejectUnauthorized: boolean; readonly ca?: (string | Buffer)[] }
  /** Protocol, host and port. Where chats and collectors take posts, the path is the secret. */
  readonly origin: string
  /** The same for the same URL, whatever is secret in its query. Names it, and does not tell it. */
  readonly address: string
  /** Blanks the secrets of the URL and of the headers, and whatever else is one, in a text. */
  hide(text: string): string
}

const redactor = createRedactor()

/** They are the client's, or differ from post to post. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'deedbox-tags',
  'host',
  'idempotency-key',
  'transfer-encoding',
])
/** Their values are no secrets. */
const openHeaders: ReadonlySet<string> = new Set(['accept', 'content-type', 'user-agent'])
/** A shorter text is no secret, and stands in many a word. */
const shortestSecret = 4
/** Shorter ones in a path are words. */
const shortestSecretSegment = 8

/**
 * Reads where to post.
 * @throws ConfigurationError naming the option at fault, never with its value
 */
export function httpTarget(options: HttpWriterOptions): HttpTarget {
  const url = givenUrl(options)
  const params = checkedParams(options.params ?? {})
  if (params.length > 0)
    url.search = [url.search.slice(1), new URLSearchParams(params).toString()].filter(Boolean).join('&')
  url.hash = ''
  const headers = checkedHeaders(options.headers ?? {})
  const secrets = secretsOf(url, headers)
  return {
    url,
    headers: { 'Content-Type': 'application/json', ...headers },
    tls: checkedTls(options),
    origin: url.origin,
    address: `${url.origin}/#${fingerprint(url)}`,
    hide: text =>
      redactor.text(secrets.reduce((left, secret) => left.replaceAll(secret, redactor.replacement), text)),
  }
}

function givenUrl({ url, https, host, port }: HttpWriterOptions): URL {
  if (url === undefined) return urlOfParts(https ?? false, host ?? 'localhost', port ?? '')
  if (https !== undefined || host !== undefined || port !== undefined)
    throw new ConfigurationError('httpWriter(): url', 'give either the URL, or https, host and port.')
  const parsed = typeof url === 'string' || url instanceof URL ? URL.parse(String(url)) : null
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:'))
    throw new ConfigurationError('httpWriter(): url', 'a URL is needed that begins with http:// or https://.')
  if (decoded(parsed.username) === undefined || decoded(parsed.password) === undefined)
    throw new ConfigurationError('httpWriter(): url', 'a % in its user or password is written as %25.')
  return parsed
}

function urlOfParts(https: unknown, host: unknown, port: unknown): URL {
  if (typeof https !== 'boolean')
    throw new ConfigurationError('httpWriter(): https', 'true or false is needed.')
  const number = typeof port === 'string' && /^\d{0,5}$/.test(port) ? Number(port) : port
  if (port !== '' && (!Number.isInteger(number) || Number(number) < 1 || Number(number) > 65_535))
    throw new ConfigurationError('httpWriter(): port', 'a port from 1 to 65535 is needed, as number or text.')
  const name = typeof host === 'string' && /^[^\s/?#@\\]+$/.test(host) ? host : ''
  const bracketed = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  const url = URL.parse(`${https ? 'https' : 'http'}://${bracketed}${port === '' ? '' : `:${number}`}/`)
  if (name === '' || url === null)
    throw new ConfigurationError('httpWriter(): host', 'the name or the address of a host is needed, alone.')
  return url
}

function checkedParams(params: unknown): [string, string][] {
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    throw new ConfigurationError('httpWriter(): params', 'values by name are needed: { source: "shop" }.')
  return Object.entries(params).map(([name, value]: [string, unknown]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value))
      throw new ConfigurationError(`httpWriter(): params.${name}`, 'a text, a number or a boolean is needed.')
    return [name, String(value)]
  })
}

function checkedHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw new ConfigurationError('httpWriter(): headers', 'texts by name are needed.')
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const setting = `httpWriter(): headers.${name}`
    try {
      validateHeaderName(name)
      if (typeof value !== 'string') throw new TypeError('no text')
      validateHeaderValue(name, value)
    } catch {
      throw new ConfigurationError(setting, 'this is no header. Name and value have to be plain text.')
    }
    if (ownHeaders.has(name.toLowerCase()))
      throw new ConfigurationError(setting, 'this header is set for each post, and cannot be another.')
    // Two spellings of one name would be sent both.
    checked[name.toLowerCase() === 'content-type' ? 'Content-Type' : name] = value
  }
  return checked
}

function checkedTls({ verify, tls = {} }: HttpWriterOptions): HttpTarget['tls'] {
  if (
    typeof tls !== 'object' ||
    tls === null ||
    Object.keys(tls).some(key => !['verify', 'ca'].includes(key))
  )
    throw new ConfigurationError('httpWriter(): tls', 'takes verify and ca.')
  if (verify !== undefined && tls.verify !== undefined)
    throw new ConfigurationError('httpWriter(): verify', 'it is the same as tls.verify. Use one of them.')
  const verified: unknown = verify ?? tls.verify ?? true
  if (typeof verified !== 'boolean')
    throw new ConfigurationError('httpWriter(): verify', 'true or false is needed.')
  return { rejectUnauthorized: verified, ...(tls.ca === undefined ? {} : { ca: certificates(tls.ca) }) }
}

function certificates(ca: Certificates): (string | Buffer)[] {
  const list: readonly unknown[] = Array.isArray(ca) ? ca : [ca]
  return list.map(certificate => {
    if (typeof certificate !== 'string' && !Buffer.isBuffer(certificate))
      throw new ConfigurationError('httpWriter(): tls.ca', 'the text of a certificate is needed.')
    if (!certificate.includes('-----BEGIN CERTIFICATE-----'))
      throw new ConfigurationError('httpWriter(): tls.ca', 'the text of a PEM file is needed, not its name.')
    return certificate
  })
}

function fingerprint({ pathname, search }: URL): string {
  return createHash('sha256')
    .update(redactor.url(pathname + search))
    .digest('hex')
    .slice(0, 16)
}

/** What must not be told although a server might send it back; longer ones first, since they may hold others. */
function secretsOf(url: URL, headers: Readonly<Record<string, string>>): string[] {
  const secrets = new Set<string>()
  for (const [name, value] of Object.entries(headers))
    if (!openHeaders.has(name.toLowerCase()))
      for (const part of [value, ...value.split(/\s+/)]) secrets.add(part)
  const { username, password, pathname } = url
  const segments = pathname.split('/').filter(({ length }) => length >= shortestSecretSegment)
  for (const part of [username, password, pathname, ...segments]) {
    secrets.add(part)
    secrets.add(decoded(part) ?? part)
  }
  if (password !== '') {
    const pair = `${decoded(username)}:${decoded(password)}`
    secrets.add(Buffer.from(pair).toString('base64'))
  }
  for (const [name, value] of url.searchParams)
    if (redactor.key(name).secret) for (const part of [value, encodeURIComponent(value)]) secrets.add(part)
  return [...secrets].filter(({ length }) => length >= shortestSecret).sort((a, b) => b.length - a.length)
}

/** `undefined` where an escape is none. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
