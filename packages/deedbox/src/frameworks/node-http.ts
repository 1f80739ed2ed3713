import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { type RequestScope, runInScope } from '../request/index.ts'
import { type AdapterOptions, failureAnswer, identifyUser, isAsyncFunction, sendAnswer } from './adapter.ts'
import { healthExchange } from './health-exchange.ts'

export type { AdapterOptions, ErrorPolicy } from './adapter.ts'
export { attachServer, type HttpServer } from './attach-server.ts'

/** How a server of `node:http` is observed. */
export type ObserveHttpOptions = AdapterOptions<HttpRequest>

/** A request of `node:http`, or of `node:http2` in its compatible form. */
export type HttpRequest = IncomingMessage | Http2ServerRequest
/** A response of `node:http`, or of `node:http2` in its compatible form. */
export type HttpResponse = ServerResponse | Http2ServerResponse

/**
 * Observes the requests of a `node:http`, `https` or `http2` server: `createServer(observe(box)(handler))`. The
 * same wrapper serves as Fastify's `serverFactory`.
 */
export function observe(
  box: Deedbox,
  options: ObserveHttpOptions = {},
): <Request extends HttpRequest = IncomingMessage, Response extends HttpResponse = ServerResponse>(
  handler: (request: Request, response: Response) => unknown,
) => (request: Request, response: Response) => void {
  checkAdapterOptions(options)
  const { lifecycle } = internalsOf(box)
  const fails = (scope: RequestScope, response: ServerResponse, thrown: unknown): void => {
    scope.fail(thrown)
    const answer = failureAnswer(thrown, options)
    if (answer === undefined) throw thrown
    sendAnswer(response, answer)
  }
  return handler => {
    const answers = options.unhandled === 'answer' || options.validation === 'answer'
    // Any other promise that is left to reject reaches the process, where it is seen with its context.
    const isWatched = answers || isAsyncFunction(handler)
    return function observed(request, response) {
      const raw = response as ServerResponse
      const scope = lifecycle.begin(request as IncomingMessage, raw)
      identifyUser(scope, request, options)
      runInScope(scope, () => {
        try {
          const result = handler(request, response)
          // Rejecting again leaves the rejection as unhandled as it was.
          if (isWatched && result instanceof Promise) result.catch(thrown => fails(scope, raw, thrown))
        } catch (thrown) {
          fails(scope, raw, thrown)
        }
      })
    }
  }
}

/**
 * Serves the health endpoints of Dockerflow ahead of a handler:
 * `createServer(health(box, { checks: [] })(observe(box)(handler)))`. (DF-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(
  box: Deedbox,
  options: HealthOptions = {},
): <Request extends HttpRequest = IncomingMessage, Response extends HttpResponse = ServerResponse>(
  handler: (request: Request, response: Response) => unknown,
) => (request: Request, response: Response) => void {
  const exchange = healthExchange(box, options)
  return handler => (request, response) => {
    const raw = { request: request as IncomingMessage, response: response as ServerResponse }
    if (!exchange.serve(raw, request.url)) handler(request, response)
  }
}
