import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { type RequestScope, runInScope } from '../request/index.ts'
import { type AdapterOptions, failureAnswer, identifyUser } from './adapter.ts'
import { attachServer, type HttpServer } from './attach-server.ts'
import { isRoot } from './fastify-health.ts'
import { watchPayload } from './fastify-payload.ts'
import type { HttpRequest, HttpResponse } from './node-http.ts'

export type { AdapterOptions, ErrorPolicy } from './adapter.ts'
export { type FastifyHealthPlugin, type HealthFastify, health } from './fastify-health.ts'

/** How a Fastify application is observed. */
export type ObserveFastifyOptions<Request extends ObservedFastifyRequest = ObservedFastifyRequest> =
  AdapterOptions<Request>

/** The members of Fastify's request that are needed; `options.user` may ask for the real type. */
export interface ObservedFastifyRequest {
  readonly raw: HttpRequest
  readonly headers: IncomingMessage['headers']
  /** Absent before Fastify 4.10; without `url` when no route matched. */
  readonly routeOptions?: { readonly url?: string | undefined }
}

/** The members of Fastify's reply that are needed. */
export interface ObservedFastifyReply {
  readonly raw: HttpResponse
  code(status: number): unknown
  header(name: string, value: string): unknown
  send(payload: unknown): unknown
}

/** The members of a Fastify instance that are needed, in version 4 as in 5. */
export interface ObservedFastify {
  readonly server: HttpServer
  readonly errorHandler: (error: never, request: never, reply: never) => unknown
  addHook(name: string, hook: (...values: never[]) => unknown): unknown
  decorate(name: string, value: unknown): unknown
  setErrorHandler(
    handler: (error: unknown, request: ObservedFastifyRequest, reply: ObservedFastifyReply) => unknown,
  ): unknown
}

/** What `app.register()` takes. */
export type FastifyPlugin = (app: ObservedFastify, options: unknown, done: (error?: Error) => void) => void

type Done = () => void
type Request = ObservedFastifyRequest
type Reply = ObservedFastifyReply
type ErrorHandler = (error: unknown, request: Request, reply: Reply) => unknown

/** What Fastify's `onRoute` hook is told, and lets us replace. */
interface Route {
  handler(this: unknown, request: Request, reply: Reply): unknown
}

/**
 * Observes a Fastify application, version 4 or 5: `await app.register(observe(box))`, before the routes. It covers
 * the instance that it is registered with, and all inside it; on the root instance the server as well, which also
 * answers requests that no hook sees. The instance is then found at `app.deedbox`. (Ruling 4)
 */
export function observe<Request extends ObservedFastifyRequest = ObservedFastifyRequest>(
  box: Deedbox,
  options: ObserveFastifyOptions<Request> = {},
): FastifyPlugin {
  checkAdapterOptions(options)
  internalsOf(box)
  const plugin: FastifyPlugin = function deedbox(app, _options, done) {
    if (!Object.hasOwn(app, 'deedbox')) app.decorate('deedbox', box)
    if (isRoot(app)) attachServer(app.server, box)
    addHooks(app, box, options as ObserveFastifyOptions)
    if (options.unhandled === 'answer' || options.validation === 'answer') answerErrors(app, options)
    done()
  }
  // Otherwise hooks and decorator would end with the plugin.
  Reflect.set(plugin, Symbol.for('skip-override'), true)
  return plugin
}

function addHooks(app: ObservedFastify, box: Deedbox, options: ObserveFastifyOptions): void {
  const { lifecycle } = internalsOf(box)
  // Any of the hooks can be the first one: where `inject` bypasses the server, and a hook before ours answers.
  const enter = (request: Request, reply: Reply): RequestScope => {
    const scope = lifecycle.begin(request.raw as IncomingMessage, reply.raw as ServerResponse)
    if (scope.route === undefined) {
      const template = request.routeOptions?.url
      if (template !== undefined) scope.matched(template)
    }
    identifyUser(scope, request, options)
    return scope
  }
  app.addHook('onRequest', (request: Request, reply: Reply, done: Done) => {
    const scope = enter(request, reply)
    if (box.current() === scope) done()
    else runInScope(scope, done)
  })
  app.addHook('onError', (request: Request, reply: Reply, error: unknown, done: Done) => {
    enter(request, reply).fail(error)
    done()
  })
  // Once headers are sent, the error of a stream cuts the connection and reaches no hook.
  app.addHook('onSend', (request: Request, reply: Reply, payload: unknown, done: Done) => {
    watchPayload(payload, enter(request, reply))
    done()
  })
  // Nor does an error that comes after the response has ended, or after hijack().
  app.addHook('onRoute', (route: Route) => {
    const { handler } = route
    route.handler = function (request, reply) {
      try {
        const result = handler.call(this, request, reply)
        if (result instanceof Promise) result.catch(thrown => enter(request, reply).fail(thrown))
        return result
      } catch (thrown) {
        enter(request, reply).fail(thrown)
        throw thrown
      }
    }
  })
}

/** Sets an error handler beneath those that the application sets, unless it has one already. */
function answerErrors(
  app: ObservedFastify,
  options: Pick<ObserveFastifyOptions, 'unhandled' | 'validation'>,
): void {
  // Fastify binds those of the application, and not its own.
  if (app.errorHandler.name.startsWith('bound ')) return
  const fastifys = app.errorHandler as ErrorHandler
  setBeneath(app, (error, request, reply) => {
    const answer = failureAnswer(error, options)
    if (answer === undefined) {
      // An Error that is sent goes to the next handler, which is Fastify's; anything else would be an answer.
      return error instanceof Error ? void reply.send(error) : fastifys(error, request, reply)
    }
    if (reply.raw.headersSent) {
      reply.raw.destroy()
      return
    }
    reply.code(answer.status)
    reply.header('content-type', answer.contentType)
    // Bytes pass by the serializer that a route may have set for its own answers.
    reply.send(Buffer.from(answer.body))
  })
}

/**
 * Fastify 5 warns when an instance's error handler is set twice, and throws if told to. So that the application may
 * still set its own, ours is set on an instance that nobody keeps, and what that holds then is taken over.
 */
function setBeneath(app: ObservedFastify, handler: ErrorHandler): void {
  const before = app.errorHandler
  const draft: ObservedFastify = Object.create(app)
  app.setErrorHandler.call(draft, handler)
  for (const key of Object.getOwnPropertySymbols(draft)) {
    const value: unknown = Reflect.get(draft, key)
    if (typeof value === 'object') Reflect.set(app, key, value)
  }
  if (app.errorHandler === before) app.setErrorHandler(handler)
}
