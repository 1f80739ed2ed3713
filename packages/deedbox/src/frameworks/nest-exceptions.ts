import type { IncomingMessage, ServerResponse } from 'node:http'

/** One exception that reached Nest's exceptions layer. */
export interface CaughtException {
  readonly thrown: unknown
  /** What the platform hands to handlers: Fastify's own objects have Node's in `raw`. */
  readonly request: unknown
  readonly response: unknown
  /** It is Nest's own answer to a path that nobody serves. */
  readonly isUnmatched: boolean
}

/** Who is told about exceptions. */
export interface ExceptionWatcher {
  /** Called before any exception filter. */
  caught(exception: CaughtException): void
  /** Called when no filter of the application's took the exception; answers whether it is dealt with. */
  left(exception: CaughtException): boolean
}

/** The object that gives an exception to the filters of one handler; Nest makes one for each. */
interface ExceptionsHandler {
  /** Answers whether a filter of the application's took it; if not, Nest answers and prints it. */
  invokeCustomFilters(thrown: unknown, host: { getArgByIndex(index: number): unknown }): boolean
}

interface ExceptionFilters {
  create(...what: unknown[]): ExceptionsHandler
}

interface RoutesResolver {
  readonly routerExceptionsFilter?: ExceptionFilters
  registerNotFoundHandler?(): unknown
}

interface MiddlewareModule {
  readonly routerExceptionFilter?: ExceptionFilters
  register?(...what: unknown[]): Promise<unknown>
}

/** An application's part of the exceptions layer, which Nest does not publish. */
interface Layers {
  readonly routesResolver?: RoutesResolver
  readonly middlewareModule?: MiddlewareModule
}

/**
 * Tells a watcher of all that guards, pipes, interceptors, handlers and middleware throw, whichever filters the
 * application has: each of them has an object that asks the filters, and all those come from two factories of the
 * application. A catch-all filter of ours would not do, because the application's more specific ones go first.
 * @returns whether this version of Nest has those factories
 */
export function watchExceptions(app: object, watcher: ExceptionWatcher): boolean {
  const { routesResolver, middlewareModule } = app as Layers
  const routes = routesResolver?.routerExceptionsFilter
  const register = middlewareModule?.register
  if (typeof routes?.create !== 'function' || typeof register !== 'function') return false
  const unmatched = { isRegistering: false }
  watchFactory(routes, watcher, () => unmatched.isRegistering)
  watchUnmatched(routesResolver as RoutesResolver, unmatched)
  middlewareModule!.register = async function (this: MiddlewareModule, ...what) {
    const result: unknown = await register.apply(this, what)
    const { routerExceptionFilter } = this
    if (routerExceptionFilter !== undefined) watchFactory(routerExceptionFilter, watcher, () => false)
    return result
  }
  return true
}

/** A path that nobody serves is answered by a handler that throws, which is no error of the service. */
function watchUnmatched(resolver: RoutesResolver, unmatched: { isRegistering: boolean }): void {
  const register = resolver.registerNotFoundHandler
  if (typeof register !== 'function') return
  resolver.registerNotFoundHandler = function (this: RoutesResolver): unknown {
    unmatched.isRegistering = true
    try {
      return register.call(this)
    } finally {
      unmatched.isRegistering = false
    }
  }
}

function watchFactory(
  filters: ExceptionFilters,
  watcher: ExceptionWatcher,
  isForUnmatched: () => boolean,
): void {
  const { create } = filters
  filters.create = function (this: ExceptionFilters, ...what): ExceptionsHandler {
    const handler = create.apply(this, what)
    const { invokeCustomFilters } = handler
    const isUnmatched = isForUnmatched()
    handler.invokeCustomFilters = function (this: ExceptionsHandler, thrown, host): boolean {
      const exception = {
        thrown,
        request: host.getArgByIndex(0),
        response: host.getArgByIndex(1),
        isUnmatched,
      }
      watcher.caught(exception)
      return invokeCustomFilters.call(this, thrown, host) || watcher.left(exception)
    }
    return handler
  }
}

/** Node's own objects behind what the platform hands to handlers, if it is one that has them. */
export function rawExchange(
  request: unknown,
  response: unknown,
): { request: IncomingMessage; response: ServerResponse } | undefined {
  const rawRequest = rawOf(request)
  const rawResponse = rawOf(response)
  if (typeof Reflect.get(rawResponse, 'setHeader') !== 'function' || !('headers' in rawRequest))
    return undefined
  return { request: rawRequest as IncomingMessage, response: rawResponse as unknown as ServerResponse }
}

function rawOf(value: unknown): object {
  const object = Object(value) as object
  const raw: unknown = Reflect.get(object, 'raw')
  return typeof raw === 'object' && raw !== null ? raw : object
}
