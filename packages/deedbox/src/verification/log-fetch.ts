import { setTimeout as delay } from 'node:timers/promises'

/** A log could not be read over the network, or answered what no log answers. */
export class LogUnreachable extends Error {
  override readonly name: string = 'LogUnreachable'
  /** For the command's last line. */
  readonly code: string = 'log_unreachable'
}

/** How a log is read. */
export interface LogFetchOptions {
  /** Sent as a bearer token, and to the log's own origin only. */
  apiKey?: string
  signal?: AbortSignal
  /** Milliseconds that one answer may take, body included; default 30,000. */
  timeout?: number
  /** Milliseconds before the first new attempt, doubled for each further one; default 500. */
  backoff?: number
}

const attempts = 5
const maxRedirects = 3
/** A server that asks for more patience than this is as good as down. Milliseconds. */
const longestWait = 30_000

/** Answers that may be another a moment later. */
const passing = [429, 500, 502, 503, 504]

type Attempt = { bytes: Uint8Array | undefined } | { again: string; wait: number }

/**
 * Reads files of a log over HTTP and trusts nothing about the other side: an answer has a time and a size that it must
 * not exceed, failures are tried again a few times, and a redirect is followed within the same origin only.
 */
export class LogFetch {
  /** Of the log, with a slash at the end. */
  readonly base: URL
  readonly #options: LogFetchOptions
  readonly #closed = new AbortController()

  /** @param base such as `http://host/ledgers/main`, or of a server: then its ledger `main` is meant */
  constructor(base: URL, options: LogFetchOptions) {
    this.base = logUrl(base)
    this.#options = options
  }

  /**
   * The bytes of a file of the log; undefined when there is none.
   *
   * @param limit the most bytes that it may have
   * @throws LogUnreachable
   */
  async get(path: string, limit: number): Promise<Uint8Array | undefined> {
    const { backoff = 500, signal = this.#closed.signal } = this.#options
    let last = ''
    for (let attempt = 0; attempt < attempts; attempt++) {
      const result = await this.#attempt(new URL(path, this.base), limit)
      if ('bytes' in result) return result.bytes
      last = result.again
      const wait = Math.max(result.wait, backoff * 2 ** attempt)
      if (wait > longestWait) break
      if (attempt < attempts - 1) await delay(wait, undefined, { signal })
    }
    throw new LogUnreachable(`${new URL(path, this.base).href} cannot be read: ${last}.`)
  }

  /** Breaks off what is still under way. */
  close(): void {
    this.#closed.abort(new LogUnreachable('The log was closed.'))
  }

  async #attempt(url: URL, limit: number): Promise<Attempt> {
    const { timeout = 30_000, signal } = this.#options
    const deadline = AbortSignal.timeout(timeout)
    const ended = AbortSignal.any([deadline, this.#closed.signal, ...(signal === undefined ? [] : [signal])])
    try {
      const response = await this.#follow(url, ended)
      if (response.status === 404) {
        await response.body?.cancel()
        return { bytes: undefined }
      }
      if (response.ok) return { bytes: await readBody(response, limit, url) }
      await response.body?.cancel()
      if (!passing.includes(response.status)) throw this.#refused(url, response.status)
      return { again: `the answer is ${response.status}`, wait: retryAfter(response) }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (this.#closed.signal.aborted) throw this.#closed.signal.reason
      if (error instanceof LogUnreachable) throw error
      const why = deadline.aborted ? `no whole answer came within ${timeout / 1000} s` : causeOf(error)
      return { again: why, wait: 0 }
    }
  }

  async #follow(start: URL, signal: AbortSignal): Promise<Response> {
    const { apiKey } = this.#options
    const headers: Record<string, string> = {
      'accept-encoding': 'identity',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    }
    let url = start
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await fetch(url, { headers, signal, redirect: 'manual' })
      const location = response.headers.get('location')
      if (response.status < 300 || response.status > 399 || location === null) return response
      await response.body?.cancel()
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
      if (next?.origin !== start.origin) {
        throw new LogUnreachable(
          `${url.href} sends elsewhere, to ${next?.origin ?? 'no address at all'}. If that is the log, name it with --url.`,
        )
      }
      url = next
    }
    throw new LogUnreachable(
      `${start.href} sends from one address to the next, more than ${maxRedirects} times.`,
    )
  }

  #refused(url: URL, status: number): LogUnreachable {
    const hasKey = this.#options.apiKey !== undefined
    const hint =
      status === 401 || status === 403
        ? hasKey
          ? ' The API key of DEEDBOX_API_KEY does not open it: it takes one with the scope verify.'
          : ' It is not public: set DEEDBOX_API_KEY to a key of this ledger (deed_…) with the scope verify.'
        : ''
    return new LogUnreachable(`${url.href} cannot be read: the answer is ${status}.${hint}`)
  }
}

/** The folder of a log: the URL itself when it names a ledger, else the ledger `main` of the server there. */
function logUrl(base: URL): URL {
  const url = new URL(base)
  url.search = ''
  url.hash = ''
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = /\/ledgers\/[^/]+$/.test(path) ? `${path}/` : `${path}/ledgers/main/`
  return url
}

/** Reads a body up to a limit, compressed or not, announced or not. */
async function readBody(response: Response, limit: number, url: URL): Promise<Uint8Array> {
  const tooLong = () => new LogUnreachable(`${url.href} has more than the ${limit} bytes that it may have.`)
  if (Number(response.headers.get('content-length') ?? 0) > limit) {
    await response.body?.cancel()
    throw tooLong()
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the body.
    if (length > limit) throw tooLong()
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

function causeOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown }
  return String(cause?.code ?? cause?.message ?? message ?? error)
}
