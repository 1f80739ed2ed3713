import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthAnswer, HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { headersOfRaised, healthExchange } from './health-exchange.ts'

/** What of a Koa context health endpoints use; the context of Koa 2 and 3 fits. */
export interface KoaHealthContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  status: number
  body: unknown
  set(headers: Record<string, string>): void
}

/**
 * Serves the health endpoints of Dockerflow: `app.use(health(box, { checks: [] }))`, ahead of everything else, also of
 * `observe`; below a path with koa-mount. (DF-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(
  box: Deedbox,
  options: HealthOptions = {},
): (ctx: KoaHealthContext, next: () => Promise<unknown>) => Promise<unknown> {
  const exchange = healthExchange(box, options)
  return function deedboxHealth(ctx, next) {
    const { method = 'GET', url = '', headers } = ctx.req
    const path = exchange.match(url)
    if (path === undefined) return next()
    const asked = { method, url, authorization: headers.authorization }
    // koa-mount keeps here what it takes off the URL.
    const mount: unknown = Reflect.get(ctx, 'mountPath')
    const route = typeof mount === 'string' && mount !== '/' ? mount + path : path
    const parts = { request: ctx.req, response: ctx.res }
    return new Promise<void>((resolve, reject) => {
      exchange.answer(parts, route, asked, answer => {
        if (answer.raise !== undefined) return reject(withHeaders(answer.raise, headersOfRaised(answer)))
        respond(ctx, answer)
        resolve()
      })
    })
  }
}

/** Koa takes all headers away that were set before an error, and sets those that it carries. */
function withHeaders(error: Error, headers: Record<string, string>): Error {
  return Object.defineProperty(error, 'headers', { value: headers })
}

function respond(ctx: KoaHealthContext, { status, headers, body }: HealthAnswer): void {
  ctx.status = status
  ctx.body = body
  // After the body, which sets a type and a length, for HEAD that of no body.
  ctx.set({ ...headers })
}
