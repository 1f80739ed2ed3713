import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { type HealthExchange, healthExchange } from './health-exchange.ts'
import type { HttpRequest, HttpResponse } from './node-http.ts'

/** The members of a Fastify instance that health endpoints need, in version 4 as in 5. */
export interface HealthFastify {
  /** What the instance puts before the paths of its routes. */
  readonly prefix: string
  addHook(name: string, hook: (...values: never[]) => unknown): unknown
  /** Adds a route for all methods. */
  all(...values: never[]): unknown
}

/** What `app.register()` takes. */
export type FastifyHealthPlugin = (
  app: HealthFastify,
  options: { readonly prefix?: string },
  done: (error?: Error) => void,
) => void

interface Request {
  readonly raw: HttpRequest
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly params: unknown
}

interface Reply {
  readonly raw: HttpResponse
  code(status: number): unknown
  header(name: string, value: string): unknown
  send(payload: unknown): unknown
  callNotFound(): unknown
}

/** What of an instance has a type too rich to be described. */
interface Router {
  all(path: string, handler: (request: Request, reply: Reply) => void): unknown
}

type Done = (error?: Error) => void

/**
 * Serves the health endpoints of Dockerflow: `await app.register(health(box, { checks: [] }))`, ahead of everything else,
 * also of `observe`; below a path with `{ prefix: '/ops' }`. It answers in an `onRequest` hook, so hooks that are added
 * later, as those that ask who it is, do not see these requests. (DF-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(box: Deedbox, options: HealthOptions = {}): FastifyHealthPlugin {
  const exchange = healthExchange(box, options)
  const plugin: FastifyHealthPlugin = function deedboxHealth(app, { prefix }, done) {
    serve(app, exchange, prefix)
    done()
  }
  // Otherwise the hook would end with the plugin.
  Reflect.set(plugin, Symbol.for('skip-override'), true)
  return plugin
}

/** @param below a path in addition to that of the instance */
function serve(app: HealthFastify, exchange: HealthExchange, below = ''): void {
  const mount = app.prefix + below
  app.addHook('onRequest', (request: Request, reply: Reply, done: Done) => {
    const { url = '' } = request.raw
    const isServed =
      url.startsWith(mount) && answer(exchange, mount, request, reply, url.slice(mount.length), done)
    if (!isServed) done()
  })
  if (app.prefix === '' && isRoot(app)) return
  // The hooks of an inner instance run for its routes alone.
  const handler = (request: Request, reply: Reply): void => {
    // The prefix has parameters, so that the hook could not tell.
    const url = `/__${Reflect.get(Object(request.params), '*')}`
    const raise: Done = error => void reply.send(error)
    if (!answer(exchange, mount, request, reply, url, raise)) reply.callNotFound()
  }
  ;(app as unknown as Router).all(`${below}/__*`, handler)
}

function answer(
  exchange: HealthExchange,
  mount: string,
  { raw, method, headers }: Request,
  reply: Reply,
  url: string,
  raise: Done,
): boolean {
  const path = exchange.match(url)
  if (path === undefined) return false
  const parts = { request: raw as IncomingMessage, response: reply.raw as ServerResponse }
  const asked = { method, url, authorization: headers.authorization }
  exchange.answer(parts, mount + path, asked, ({ status, headers, body, raise: error }) => {
    if (error !== undefined) return raise(error)
    reply.code(status)
    for (const [name, value] of Object.entries(headers)) reply.header(name, value)
    // As bytes nothing is added to its type.
    reply.send(Buffer.from(body))
  })
  return true
}

/** Fastify makes the instances inside another one from it. */
export function isRoot(app: object): boolean {
  return Object.getPrototypeOf(app) === Object.prototype
}
