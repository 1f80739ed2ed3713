import type { IncomingMessage } from 'node:http'
import { deedbox } from '../box.ts'
import { activeInstance } from '../default-instance.ts'
import type { HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import type { DeedboxOptions } from '../options.ts'
import { currentScope, defaultSkipPaths, type RequestScope, type SkipPath } from '../request/index.ts'
import { type AdapterOptions, identifyUser } from './adapter.ts'
import { answerAtServer, attachServer, type HttpServer } from './attach-server.ts'
import { healthExchange } from './health-exchange.ts'
import { behindPipe, matchedRoute, takeProxyErrors } from './next-internals.ts'
import { watchServers } from './next-servers.ts'

/** How Next is observed. There is no `unhandled` and no `validation`: Next lets nobody answer in its place. */
export interface ObserveNextOptions extends Pick<AdapterOptions<IncomingMessage>, 'user'> {
  /** The one server to observe, for who makes a custom one. Default: all HTTP servers of the process. */
  readonly server?: HttpServer
}

/** What {@link instrument} does beside making the instance. */
export interface InstrumentNextOptions extends ObserveNextOptions {
  /** Serves the health endpoints of Dockerflow with these options. Default: none are served. */
  readonly health?: HealthOptions | undefined
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
  { health: endpoints, ...observing }: InstrumentNextOptions = {},
): NextInstrumentation {
  return {
    register() {
      const box = deedbox({ ...options, skipPaths: options.skipPaths ?? nextSkipPaths })
      observe(box, observing)
      if (endpoints !== undefined) health(box, endpoints, observing)
    },
    onRequestError,
  }
}

/**
 * Observes the HTTP servers of this process, with an instance of your own; to be called by `register()`. Next
 * hands out no server: each is found by its first request, and attached to before that is handled. Errors come by
 * {@link onRequestError}.
 * @returns how to undo it
 */
export function observe(box: Deedbox, options: ObserveNextOptions = {}): () => void {
  const { lifecycle } = internalsOf(box)
  takeProxyErrors(onProxyError)
  return watchServers({
    server: options.server,
    attach: server => attachServer(server, box),
    started(request, response) {
      const scope = lifecycle.begin(request, response)
      identifyUser(scope, request, options)
      // Listeners run ahead of the lifecycle's own end, which makes the record.
      response.once('close', () => {
        const route = matchedRoute(request)
        if (route !== undefined) scope.matched(route)
      })
    },
  })
}

/**
 * Serves the health endpoints of Dockerflow ahead of Next, with an instance of your own; to be called by `register()`
 * beside {@link observe}. The paths are those of the server, without `basePath`. (DF-01)
 * @returns how to undo it
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(
  box: Deedbox,
  options: HealthOptions = {},
  { server }: Pick<ObserveNextOptions, 'server'> = {},
): () => void {
  const exchange = healthExchange(box, options)
  const attach = (to: HttpServer): (() => void) =>
    answerAtServer(to, (request, response) => exchange.serve({ request, response }, request.url))
  return watchServers({ server, attach })
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
