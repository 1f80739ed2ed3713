import type { IncomingMessage } from 'node:http'
import { ConfigurationError } from '../safety/index.ts'
import { createSender } from './file-sender.ts'
import { type FolderFile, folderFiles } from './folder-files.ts'
import { readStatic, type StaticOptions, type StaticSettings } from './static-options.ts'
import { turnOf } from './turn.ts'

/**
 * As it stands in front of handlers: a middleware of Express, connect and Nest, of Koa, and of Hono on Node, an `onRequest`
 * hook of Fastify, or a handler of `node:http`, which answers 404 where nothing comes behind it. What Koa and Hono call
 * `next` is any object here, as in `TrackedMiddleware`.
 */
export interface StaticMiddleware {
  (request: object, response: object, next?: () => void): void
  // Hono takes a response or nothing, Koa anything.
  (context: object, next: object): Promise<Response | undefined>
}

/** What answers a request: a file, or the same path with a slash behind it. */
type Found = { readonly file: FolderFile } | { readonly folder: string }

/**
 * Serves the files of a folder, such as a bundler has built: `app.use(staticFiles('dist'))`. What has a hash in its name is
 * kept for a year by browsers and CDNs; all else is asked for again, and answered with 304 while it is the same. `app.js.br`
 * and `app.js.gz` are sent in place of `app.js` to who takes them. It needs the package `send`. (DF-56)
 * @param folder relative to where the process was started
 * @throws ConfigurationError for options that are none, a folder that is missing, and without that package
 */
export function staticFiles(folder: string, options: StaticOptions = {}): StaticMiddleware {
  const settings = readStatic(folder, options, process.env)
  const sender = createSender(settings)
  const once = folderFiles(settings.folder)
  const { fallback } = settings
  if (fallback !== undefined && !once.has(fallback))
    throw new ConfigurationError('fallback', `there is no file ${fallback} in ${settings.folder}.`)

  // Fastify tells hooks with a callback by their number of parameters.
  function deedboxStatic(first: object, second: object, third?: unknown): unknown {
    const turn = turnOf(first, second, third)
    const files = settings.reload ? folderFiles(settings.folder) : once
    const found = find(turn.request, settings, files)
    if (found === undefined) return turn.pass()
    const { request, response } = turn
    return turn.take(
      'file' in found ? sender.send(found.file, request, response) : sender.redirect(found.folder, response),
    )
  }
  return deedboxStatic as StaticMiddleware
}

function find(
  { method, url = '', headers }: IncomingMessage,
  { prefix, fallback }: StaticSettings,
  files: ReadonlyMap<string, FolderFile>,
): Found | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const [written = ''] = url.split(/[?#]/, 1)
  if (!written.startsWith(`${prefix}/`)) return undefined
  const path = decoded(written.slice(prefix.length + 1))
  if (path === undefined) return undefined
  const file = files.get(path === '' || path.endsWith('/') ? `${path}index.html` : path)
  if (file !== undefined) return { file }
  if (files.has(`${path}/index.html`)) return { folder: `${written.slice(written.lastIndexOf('/') + 1)}/` }
  const isPage = !path.slice(path.lastIndexOf('/') + 1).includes('.') && headers.accept?.includes('text/html')
  const page = fallback === undefined || isPage !== true ? undefined : files.get(fallback)
  return page === undefined ? undefined : { file: page }
}

/** Decoded once; what then still looks encoded is the name of no file. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
