import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthExchange } from './health-exchange.ts'

/** Serves health endpoints below the path where the middleware is used. */
export function serveOnExpress(
  exchange: HealthExchange,
): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void {
  return function deedboxHealth(request, response, next) {
    // Express takes the path where it is mounted off the URL, and keeps it here.
    const mount: unknown = Reflect.get(request, 'baseUrl')
    const path = typeof mount === 'string' ? mount : ''
    if (!exchange.serve({ request, response }, request.url, next, path)) next()
  }
}
