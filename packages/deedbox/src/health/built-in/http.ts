import { type Check, type CheckMessage, error } from '../../checks/index.ts'
import { ConfigurationError } from '../../safety/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { ownText, shortened } from './error-line.ts'
import { notWhat } from './handed-over.ts'

/** How another service is asked. */
export interface HttpCheckOptions extends BuiltInOptions {
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | undefined
  /** The status that is expected, or one of several. Default: any from 200 to 299. */
  readonly status?: number | readonly number[] | undefined
  /** Sent along. They stand in no message. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST']

/** The most of a body that is read so that its connection can be used again; of a longer one it is closed. */
const mostRead = 65_536

/**
 * Asks another service for a URL, once for each round, and expects a status. A redirect is an answer like any other, and not
 * followed. Messages name the origin alone: path, query and user may be secret.
 * @param url of `http:` or `https:`; a user and password in it are sent as basic authentication
 * @throws ConfigurationError for what is none, and for options that cannot be
 */
export function http(url: string | URL, options: HttpCheckOptions = {}): Check {
  const parsed = typeof url === 'string' || url instanceof URL ? URL.parse(String(url)) : null
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw notWhat('http', 'a URL that begins with http: or https:', url)
  const target = targetOf(parsed, options.headers)
  const { method = 'GET' } = options
  if (!methods.includes(method))
    throw new ConfigurationError('http() method', `one of ${methods.join(', ')} is needed.`)
  const expected = expectedStatus(options.status)
  return builtIn(
    'http',
    `check_http_${parsed.host}`,
    options,
    signal => ask({ ...target, method, expected }, signal),
    ['method', 'status', 'headers'],
  )
}

interface Target {
  readonly url: string
  /** What messages call it. */
  readonly origin: string
  readonly headers: Headers
}

interface Question extends Target {
  readonly method: string
  readonly expected: { readonly text: string; has(status: number): boolean }
}

/** `fetch` takes no user in a URL. */
function targetOf(url: URL, given: Readonly<Record<string, string>> = {}): Target {
  let headers: Headers
  try {
    headers = new Headers(given)
    if (url.username !== '' && !headers.has('authorization')) {
      const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
      headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
    }
  } catch {
    throw new ConfigurationError('http() headers', 'an object of names and texts that HTTP allows is needed.')
  }
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return { url: bare.href, origin: url.origin, headers }
}

function expectedStatus(given: HttpCheckOptions['status']): Question['expected'] {
  if (given === undefined) return { text: '200 to 299', has: status => status >= 200 && status <= 299 }
  const all: readonly unknown[] = Array.isArray(given) ? given : [given]
  const isStatus = (each: unknown): boolean =>
    Number.isInteger(each) && Number(each) >= 200 && Number(each) <= 599
  if (all.length === 0 || !all.every(isStatus))
    throw new ConfigurationError('http() status', 'a status from 200 to 599, or a list of some, is needed.')
  return { text: all.join(' or '), has: status => all.includes(status) }
}

async function ask(
  { url, origin, headers, method, expected }: Question,
  signal: AbortSignal,
): Promise<CheckMessage[]> {
  const start = performance.now()
  try {
    const { status, body } = await fetch(url, { method, headers, signal, redirect: 'manual' })
    await drain(body)
    if (expected.has(status)) return []
    return [
      error(`${origin} answered ${status} where ${expected.text} is expected.`, {
        id: 'deedbox.health.E202',
        hint: hintOf(status),
      }),
    ]
  } catch (thrown) {
    const seconds = ((performance.now() - start) / 1_000).toFixed(1)
    const problem = signal.aborted
      ? `has not answered for ${seconds} s`
      : `cannot be reached: ${shortened(reasonOf(thrown))}`
    return [error(`${origin} ${problem}`, { id: 'deedbox.health.E201' })]
  }
}

/** `fetch` says only that it failed, and why by its cause. */
function reasonOf(thrown: unknown): string {
  return ownText(thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown)
}

function hintOf(status: number): string | undefined {
  if (status >= 300 && status <= 399)
    return 'Redirects are not followed: give the URL that it leads to, or expect this status.'
  return status === 401 || status === 403 ? 'Look at what is sent in headers.' : undefined
}

async function drain(body: AsyncIterable<Uint8Array> | null): Promise<void> {
  let read = 0
  for await (const chunk of body ?? []) {
    read += chunk.byteLength
    if (read > mostRead) return
  }
}
