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
    const { request, response } = turn
    const asked = askedOf(request, settings)
    const files = asked === undefined ? undefined : settings.reload ? readAgain(settings.folder) : once
    const found =
      asked === undefined || files === undefined
        ? undefined
        : find(asked, request, pathOf(turn.target), settings, files)
    if (found === undefined) return turn.pass()
    return turn.take(
      'file' in found ? sender.send(found.file, request, response) : sender.redirect(found.folder, response),
    )
  }
  return deedboxStatic as StaticMiddleware
}

/** Nothing of a folder that is being written at this moment. */
function readAgain(folder: string): ReadonlyMap<string, FolderFile> | undefined {
  try {
    return folderFiles(folder)
  } catch {
    return undefined
  }
}

/** The path of a file or a folder that is asked for, below the prefix; `undefined` for what is none of ours. */
function askedOf({ method, url = '' }: IncomingMessage, { prefix }: StaticSettings): string | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined
  const written = pathOf(url)
  if (written === prefix) return ''
  return written.startsWith(`${prefix}/`) ? decoded(written.slice(prefix.length + 1)) : undefined
}

/** @param target the path as the client sent it, to which a redirect is relative */
function find(
  path: string,
  { headers }: IncomingMessage,
  target: string,
  { fallback }: StaticSettings,
  files: ReadonlyMap<string, FolderFile>,
): Found | undefined {
  const isFolder = path === '' || path.endsWith('/')
  // Links in a page are relative to the folder that its path ends with.
  if (files.has(isFolder ? `${path}index.html` : `${path}/index.html`) && !target.endsWith('/'))
    return { folder: `${target.slice(target.lastIndexOf('/') + 1)}/` }
  const file = files.get(isFolder ? `${path}index.html` : path)
  if (file !== undefined) return { file }
  const isPage = !path.slice(path.lastIndexOf('/') + 1).includes('.') && headers.accept?.includes('text/html')
  const page = fallback === undefined || isPage !== true ? undefined : files.get(fallback)
  return page === undefined ? undefined : { file: page }
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0] ?? ''
}

/** Letters, digits and their like, which need not be encoded, and both slashes, which must not be. */
const hiding = /%(?:2[def]|3\d|4[1-9a-f]|5[\dacf]|6[1-9a-f]|7[\dae])/i

/**
 * Decoded once; what then still looks encoded is the name of no file. A path that hides what it names is none: a guard in
 * front, mounted at `/static/private`, compares it as it is written.
 */
function decoded(path: string): string | undefined {
  if (hiding.test(path)) return undefined
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
