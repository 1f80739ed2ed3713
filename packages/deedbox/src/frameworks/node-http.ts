import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { runInScope } from '../request/index.ts'

/** How a server of `node:http` is observed. */
export interface ObserveHttpOptions {
  /**
   * What becomes of an exception that the handler throws, or rejects with, before it answered. `rethrow` (the
   * default) changes nothing: the process sees it as before. `answer` sends `500 Internal Server Error` as plain
   * text, or cuts the connection if the response had begun, and the process lives on. (Ruling 9)
   */
  readonly unhandled?: 'rethrow' | 'answer'
}

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
  const { lifecycle } = internalsOf(box)
  const answers = options.unhandled === 'answer'
  return handler =>
    function observed(request, response) {
      const scope = lifecycle.begin(request as IncomingMessage, response as ServerResponse)
      runInScope(scope, () => {
        try {
          const result = handler(request, response)
          if (result instanceof Promise) {
            // Rejecting again leaves the rejection as unhandled as it was.
            result.catch(thrown => {
              scope.fail(thrown)
              if (!answers) throw thrown
              answer(response as ServerResponse)
            })
          }
        } catch (thrown) {
          scope.fail(thrown)
          if (!answers) throw thrown
          answer(response as ServerResponse)
        }
      })
    }
}

function answer(response: ServerResponse): void {
  if (response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  response.statusCode = 500
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end('Internal Server Error')
}
