import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  createHealth,
  type HealthAnswer,
  type HealthEndpoints,
  type HealthOptions,
  type HealthRequest,
} from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { runInScope } from '../request/index.ts'
import { errorTrace } from '../safety/index.ts'

/** The health endpoints of an instance, each exchange with a record like any other. */
export interface HealthExchange extends Pick<HealthEndpoints, 'match'> {
  /**
   * Has a request answered for which {@link match} gave a path. `respond` is called inside its scope; an error that it
   * shall raise stands on the record already, and the headers that go with it on Node's response. What `respond` throws
   * itself is told, and the response ended.
   * @param exchange absent where the runtime has none, whose requests have no record
   * @param route the whole path, as the record shall have it
   */
  answer(exchange: RawExchange | undefined, route: string, asked: HealthRequest, respond: Respond): void
  /**
   * Answers on Node's own response if the URL is that of an endpoint, and says whether it is. What shall be raised is
   * given to `raise`; without it the answer for it is sent.
   * @param url as the place sees it where the endpoints are mounted
   * @param mount the path of that place
   */
  serve(raw: RawExchange, url: string | undefined, raise?: (error: Error) => void, mount?: string): boolean
}

/** Node's own objects of a request. */
export interface RawExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

type Respond = (answer: HealthAnswer) => void

/** @throws ConfigurationError naming the option or variable at fault */
export function healthExchange(box: Deedbox, options: HealthOptions): HealthExchange {
  const { lifecycle, notices } = internalsOf(box)
  const endpoints = createHealth(box, options)
  const exchange: HealthExchange = {
    match: endpoints.match,
    answer(raw, route, asked, respond) {
      const scope = raw && lifecycle.begin(raw.request, raw.response)
      const answered: Respond = answer => {
        try {
          if (answer.raise !== undefined) {
            scope?.fail(answer.raise)
            if (raw !== undefined) setHeaders(raw.response, headersOfRaised(answer))
          }
          respond(answer)
        } catch (error) {
          // Nobody else would hear of it, and the process would end.
          notices.warn('health_unanswered', 'A health endpoint could not answer', {
            trace: errorTrace(error),
          })
          scope?.fail(error)
          if (raw !== undefined) giveUp(raw.response)
        }
      }
      const ask = (): void => {
        const answer = endpoints.answer(asked)
        if (answer instanceof Promise) void answer.then(answered)
        else answered(answer)
      }
      if (scope === undefined) return ask()
      // One that fails on purpose is to be seen.
      if (lifecycle.skipsHealth && endpoints.match(asked.url) !== '/__error__') scope.skip()
      scope.matched(route)
      // Hono takes the route that would have come next; listeners run ahead of the end of the record.
      raw?.response.once('close', () => scope.matched(route))
      runInScope(scope, ask)
    },
    serve({ request, response }, url = '', raise, mount = '') {
      const path = endpoints.match(url)
      if (path === undefined) return false
      const { method = 'GET', headers } = request
      const asked = { method, url, authorization: headers.authorization }
      exchange.answer({ request, response }, mount + path, asked, answer => {
        if (answer.raise === undefined || raise === undefined) send(response, answer)
        else raise(answer.raise)
      })
      return true
    },
  }
  return exchange
}

/** The headers that also hold for the answer to what is raised: not those of the body, which is the framework's. */
export function headersOfRaised({ headers }: HealthAnswer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('Content-')))
}

function send(response: ServerResponse, { status, headers, body }: HealthAnswer): void {
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  setHeaders(response, headers)
  response.end(body)
}

function setHeaders(response: ServerResponse, headers: HealthAnswer['headers']): void {
  if (response.headersSent) return
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

/** Ends a response that cannot be what it should. */
function giveUp(response: ServerResponse): void {
  if (response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.removeHeader('Content-Length')
  response.statusCode = 500
  response.end()
}
