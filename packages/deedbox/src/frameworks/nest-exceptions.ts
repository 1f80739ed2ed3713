import type { IncomingMessage, ServerResponse } from 'node:http'

/** One exception that reached Nest's exceptions layer. */
export interface CaughtException {
  /** As it came, before Nest made an exception of its own from it. */
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

/** Nest's adapter to its platform; what comes from outside of Nest enters the exceptions layer by this handler. */
interface ErrorAdapter {
  setErrorHandler?(handler: ErrorHandler, ...rest: unknown[]): unknown
}

type ErrorHandler = (thrown: unknown, request: unknown, response: unknown, next: unknown) => unknown

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
export function watchExceptions(app: object, adapter: object, watcher: ExceptionWatcher): boolean {
  const { routesResolver, middlewareModule } = app as Layers
  const routes = routesResolver?.routerExceptionsFilter
  const register = middlewareModule?.register
  if (typeof routes?.create !== 'function' || typeof register !== 'function') return false
  const told = { ...watcher, outside: watchOutside(adapter) }
  const unmatched = { isRegistering: false }
  watchFactory(routes, told, () => unmatched.isRegistering)
  watchUnmatched(routesResolver as RoutesResolver, unmatched)
  middlewareModule!.register = async function (this: MiddlewareModule, ...what) {
    const result: unknown = await register.apply(this, what)
    const { routerExceptionFilter } = this
    if (routerExceptionFilter !== undefined) watchFactory(routerExceptionFilter, told, () => false)
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

/**
 * What the platform, its parsers and `app.use()` throw is replaced by an exception of Nest's before the filters see
 * it, in Nest 11 without a cause.
 * @returns the errors as they came, by what the platform hands out as the response
 */
function watchOutside(adapter: ErrorAdapter): WeakMap<object, { readonly thrown: unknown }> {
  const outside = new WeakMap<object, { readonly thrown: unknown }>()
  const { setErrorHandler } = adapter
  if (typeof setErrorHandler === 'function') {
    adapter.setErrorHandler = function (this: ErrorAdapter, handler, ...rest): unknown {
      // Express tells error handlers by their four parameters.
      const watched: ErrorHandler = (thrown, request, response, next) => {
        outside.set(Object(response), { thrown })
        return handler(thrown, request, response, next)
      }
      return setErrorHandler.call(this, watched, ...rest)
    }
  }
  return outside
}

function watchFactory(
  filters: ExceptionFilters,
  watcher: ExceptionWatcher & { readonly outside: WeakMap<object, { readonly thrown: unknown }> },
  isForUnmatched: () => boolean,
): void {
  const { create } = filters
  filters.create = function (this: ExceptionFilters, ...what): ExceptionsHandler {
    const handler = create.apply(this, what)
    const { invokeCustomFilters } = handler
    const isUnmatched = isForUnmatched()
    handler.invokeCustomFilters = function (this: ExceptionsHandler, thrown, host): boolean {
      const response = host.getArgByIndex(1)
      const original = watcher.outside.get(Object(response)) ?? { thrown }
      watcher.outside.delete(Object(response))
      const exception = { ...original, request: host.getArgByIndex(0), response, isUnmatched }
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
