import { randomUUID } from 'node:crypto'
import { judgeService, judgeSilence, type Reply } from './check-answers.ts'
import type { Finding } from './check-findings.ts'
import { UsageError } from './usage-error.ts'

/** How a service is asked. */
export interface ServiceQuestions {
  /** A static file to look at: a path, with `/` first. */
  readonly asset: string | undefined
  /** How long one answer may take, in milliseconds. */
  readonly timeout: number
}

/** Longer answers are cut: nothing that is looked for needs as much. */
const mostBytes = 1_048_576

/**
 * The address of a service, without what stands behind its path.
 *
 * @throws UsageError
 */
export function serviceAddress(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError('That is no URL. "deedbox check --help" shows how.')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    // What is judged is what a load balancer and strangers see.
    throw new UsageError('Leave user and password out of the URL: health endpoints answer without.')
  }
  url.search = ''
  url.hash = ''
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}

/** Asks a running service all that it is judged by, one after another. Follows no redirect, sends no credentials. */
export async function checkService(base: URL, { asset, timeout }: ServiceQuestions): Promise<Finding[]> {
  const root = base.href.replace(/\/$/, '')
  const get = (path: string) => ask(`${root}${path}`, 'GET', timeout)
  const lbheartbeat = await get('/__lbheartbeat__')
  if (typeof lbheartbeat === 'string') return judgeSilence(root, lbheartbeat)
  const version = await get('/__version__')
  const heartbeat = await get('/__heartbeat__')
  const heads: Reply[] = []
  for (const path of ['/__version__', '/__heartbeat__', '/__lbheartbeat__']) {
    heads.push(await ask(`${root}${path}`, 'HEAD', timeout))
  }
  return judgeService({
    version,
    heartbeat,
    lbheartbeat,
    heads,
    error: await get('/__error__'),
    control: await get(`/__deedbox-check-${randomUUID()}__`),
    slash: await get('/__lbheartbeat__/'),
    asset: asset === undefined ? undefined : { path: asset, reply: await get(asset) },
  })
}

async function ask(url: string, method: 'GET' | 'HEAD', timeout: number): Promise<Reply> {
  const begin = performance.now()
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
      headers: { 'user-agent': 'deedbox-check' },
    })
    const body = await bodyOf(response)
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body,
      milliseconds: performance.now() - begin,
    }
  } catch (error) {
    return reasonOf(error, timeout)
  }
}

async function bodyOf({ body }: Response): Promise<string> {
  if (body === null) return ''
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early closes the connection.
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > mostBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown, timeout: number): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return `no answer in ${timeout / 1_000} s`
  return cause?.code ?? cause?.message ?? String(error)
}
