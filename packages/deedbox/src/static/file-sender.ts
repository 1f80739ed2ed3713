import { createHash } from 'node:crypto'
import { readFileSync, type Stats } from 'node:fs'
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { createRequire } from 'node:module'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { acceptedEncodings, type FolderFile } from './folder-files.ts'
import type { StaticSettings } from './static-options.ts'

/** Sends files. What it returns resolves when the response is over, and never rejects. */
export interface FileSender {
  send(file: FolderFile, request: IncomingMessage, response: ServerResponse): Promise<void>
  /** @param to relative to the path of the request */
  redirect(to: string, response: ServerResponse): Promise<void>
}

/** What we use of the package `send`. */
type Send = (request: IncomingMessage, path: string, options: object) => SendStream

interface SendStream {
  on(event: 'headers', listener: (response: ServerResponse, path: string, stat: Stats) => void): this
  on(event: 'error', listener: (error: SendFailure) => void): this
  pipe(response: ServerResponse): void
  /** Sets the type of the content by a name. */
  type(path: string): void
}

interface SendFailure extends Error {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Larger ones are told by their size and time, in the `ETag` that `send` makes. */
const longestRead = 1_048_576

/** @throws ConfigurationError where the package is missing */
export function createSender({ isHashed, crossOrigin }: StaticSettings): FileSender {
  const send = loadSend()
  const tags = new Map<string, { readonly mark: string; readonly tag: string }>()
  const tagOf = (path: string, { mtimeMs, size }: Stats): string => {
    const mark = `${mtimeMs} ${size}`
    const known = tags.get(path)
    if (known?.mark === mark) return known.tag
    const tag = `"${createHash('sha256').update(read(path)).digest('base64url')}"`
    tags.set(path, { mark, tag })
    return tag
  }
  return {
    async send(file, request, response) {
      const over = closed(response)
      const encoding = acceptedEncodings(request.headers['accept-encoding']?.toString()).find(
        each => file.compressed[each] !== undefined,
      )
      const path = (encoding === undefined ? undefined : file.compressed[encoding]) ?? file.path
      const isKept = isHashed(file.name)
      const allowed = crossOrigin ?? (isKept ? '*' : false)
      // Koa begins with 404.
      response.statusCode = 200
      // What is asked for again is told by its content alone: the images that are built for containers may give each file
      // the same time, and `If-Modified-Since` and `If-Range` with a date would keep an old one.
      const options = { cacheControl: false, dotfiles: 'allow', lastModified: isKept }
      const stream = send(request, encodeURIComponent(path), options)
      stream.on('headers', (_response, _path, stat) => {
        const headers: Record<string, string | false | undefined> = {
          'Cache-Control': isKept ? 'public, max-age=31536000, immutable' : 'no-cache',
          'X-Content-Type-Options': 'nosniff',
          'Access-Control-Allow-Origin': allowed,
          'Content-Encoding': encoding,
          ETag: !isKept && stat.size <= longestRead && tagOf(path, stat),
        }
        for (const [name, value] of Object.entries(headers))
          if (typeof value === 'string') response.setHeader(name, value)
        if (Object.keys(file.compressed).length > 0) vary(response, 'Accept-Encoding')
        if (typeof allowed === 'string' && allowed !== '*') vary(response, 'Origin')
        stream.type(file.name)
      })
      stream.on('error', failure => answerFailure(response, failure))
      stream.pipe(response)
      await over
    },
    async redirect(to, response) {
      const over = closed(response)
      response.writeHead(301, { Location: `./${to}`, 'Cache-Control': 'no-cache', 'Content-Length': '0' })
      response.end()
      await over
    },
  }
}

/** Nothing of a file that is gone at this very moment; what sends it then says so. */
function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.destroyed) resolve()
    else response.once('close', resolve)
  })
}

function loadSend(): Send {
  try {
    return createRequire(import.meta.url)('send') as Send
  } catch (error) {
    const problem = `the package send could not be loaded; run: npm i send (${errorMessage(error)})`
    throw new ConfigurationError('staticFiles()', problem)
  }
}

function vary(response: ServerResponse, name: string): void {
  const given = response.getHeader('Vary')
  response.setHeader('Vary', given === undefined ? name : `${String(given)}, ${name}`)
}

/** What is said of a file is not true of an error. */
const ofFile = ['Accept-Ranges', 'Cache-Control', 'Content-Encoding', 'ETag', 'Last-Modified']

/** A range that is none, a condition that is not met, or a file that is gone. */
function answerFailure(response: ServerResponse, { status, headers = {} }: SendFailure): void {
  if (response.headersSent) return void response.destroy()
  for (const name of ofFile) response.removeHeader(name)
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(STATUS_CODES[status])
}
