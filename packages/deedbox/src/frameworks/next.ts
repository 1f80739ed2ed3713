import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { deedbox } from '../box.ts'
import { activeInstance } from '../default-instance.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import type { DeedboxOptions } from '../options.ts'
import { currentScope, defaultSkipPaths, type RequestScope, type SkipPath } from '../request/index.ts'
import { type AdapterOptions, identifyUser } from './adapter.ts'
import { attachServer, type HttpServer } from './attach-server.ts'
import { behindPipe, matchedRoute, takeProxyErrors } from './next-internals.ts'

/** How Next is observed. There is no `unhandled` and no `validation`: Next lets nobody answer in its place. */
export interface ObserveNextOptions extends Pick<AdapterOptions<IncomingMessage>, 'user'> {
  /** The one server to observe, for who makes a custom one. Default: all HTTP servers of the process. */
  readonly server?: HttpServer
}

/** What `instrumentation.ts` exports. */
export interface NextInstrumentation {
  register(): void
  onRequestError(error: unknown): void
}

/** What {@link instrument} skips: health endpoints, and what Next serves beside pages, their data, and routes. */
export const nextSkipPaths: readonly SkipPath[] = [...defaultSkipPaths, /\/_next\/(?!data\/)|\/__nextjs_/]

/**
 * All of `instrumentation.ts`: `export const { register, onRequestError } = instrument({ service: 'shop' })`. When
 * Next starts this makes the instance and observes the server with it. In the Edge runtime, for which Next builds
 * the file too, it does nothing. `skipPaths` is {@link nextSkipPaths} unless given.
 * @throws ConfigurationError from `register()`, naming the option or variable at fault
 */
export function instrument(
  options: DeedboxOptions = {},
  observing: ObserveNextOptions = {},
): NextInstrumentation {
  return {
    register() {
      observe(deedbox({ ...options, skipPaths: options.skipPaths ?? nextSkipPaths }), observing)
    },
    onRequestError,
  }
}

/** What Node publishes right before a server emits `request`. */
interface RequestStart {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly server: HttpServer
}

const requestStart = 'http.server.request.start'

/**
 * Observes the HTTP servers of this process, with an instance of your own; to be called by `register()`. Next
 * hands out no server: each is found by its first request, and attached to before that is handled. Errors come by
 * {@link onRequestError}.
 * @returns how to undo it
 */
export function observe(box: Deedbox, options: ObserveNextOptions = {}): () => void {
  const { lifecycle } = internalsOf(box)
  const attached = new Map<HttpServer, () => void>()
  const attach = (server: HttpServer): void => void attached.set(server, attachServer(server, box))
  if (options.server !== undefined) attach(options.server)
  const starts = (message: unknown): void => {
    const { request, response, server } = message as RequestStart
    if (!attached.has(server)) {
      if (options.server !== undefined) return
      attach(server)
    }
    const scope = lifecycle.begin(request, response)
    identifyUser(scope, request, options)
    // Listeners run ahead of the lifecycle's own end, which makes the record.
    response.once('close', () => {
      const route = matchedRoute(request)
      if (route !== undefined) scope.matched(route)
    })
  }
  takeProxyErrors(onProxyError)
  subscribe(requestStart, starts)
  return () => {
    unsubscribe(requestStart, starts)
    for (const detach of attached.values()) detach()
  }
}

/** Scopes whose proxy failed. */
const failedEarly = new WeakSet<RequestScope>()

/**
 * Takes the real error behind a failed request; `instrumentation.ts` exports it under this name. Next calls it
 * inside the request, also for errors that a page or route throws after its response has begun.
 */
export function onRequestError(error: unknown): void {
  for (const scope of scopes()) {
    // After its proxy nothing of the service runs: that is Next, failing at its error page for it.
    if (!failedEarly.has(scope)) scope.fail(behindPipe(error))
  }
}

function onProxyError(error: unknown): void {
  for (const scope of scopes()) {
    scope.fail(error)
    failedEarly.add(scope)
  }
}

function* scopes(): Generator<RequestScope> {
  for (let scope = currentScope(); scope !== undefined; scope = scope.outer) yield scope
}

/**
 * The instance of the current request, else the oldest that is open; for what the free functions do not offer,
 * such as {@link Deedbox.send}.
 * @throws Error before `register()` ran, as in `next build`
 */
export function instance(): Deedbox {
  const box = activeInstance()
  if (box === undefined)
    throw new Error('There is no instance of deedbox; instrumentation.ts makes it when Next starts')
  return box
}
