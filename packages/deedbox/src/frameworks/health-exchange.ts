import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHealth, type HealthAnswer, type HealthEndpoints, type HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { type Internals, internalsOf } from '../internals.ts'
import { type RequestScope, runInScope } from '../request/index.ts'

/** The health endpoints of an instance on the raw exchanges of `node:http`. */
export interface HealthExchange {
  /**
   * Answers the request if its URL is that of an endpoint, and says whether it is. What shall be raised is given to
   * `raise`; without it the answer for it is sent. The request has its record like any other.
   * @param url its path as the place where the endpoints are mounted sees it
   */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    raise?: (error: Error, scope: RequestScope) => void,
  ): boolean
  /** Its parts, for frameworks that send answers themselves. */
  readonly endpoints: HealthEndpoints
  readonly internals: Internals
}

/** @throws ConfigurationError naming the option or variable at fault */
export function healthExchange(box: Deedbox, options: HealthOptions): HealthExchange {
  const internals = internalsOf(box)
  const endpoints = createHealth(box, options)
  return {
    endpoints,
    internals,
    serve(request, response, url, raise) {
      const path = endpoints.match(url)
      if (path === undefined) return false
      const scope = internals.lifecycle.begin(request, response)
      scope.matched(path)
      const answered = (answer: HealthAnswer): void => {
        if (answer.raise === undefined) send(response, answer)
        else if (raise === undefined) {
          scope.fail(answer.raise)
          send(response, answer)
        } else raise(answer.raise, scope)
      }
      runInScope(scope, () => {
        const { method = 'GET', headers } = request
        const answer = endpoints.answer({ method, url, authorization: headers.authorization })
        if (answer instanceof Promise) void answer.then(answered)
        else answered(answer)
      })
      return true
    },
  }
}

function send(response: ServerResponse, { status, headers, body }: HealthAnswer): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(body)
}
