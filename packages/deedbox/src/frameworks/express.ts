import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { type Internals, internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { runInScope, scopeOfBox } from '../request/index.ts'
import { type AdapterOptions, failureAnswer, identifyUser, sendAnswer } from './adapter.ts'
import { applicationOf } from './express-followed.ts'
import { serveOnExpress } from './express-health.ts'
import { followRequest } from './express-routing.ts'
import { layersOf } from './express-watching.ts'
import { healthExchange } from './health-exchange.ts'

export type { AdapterOptions, ErrorPolicy } from './adapter.ts'

/** The form of an Express middleware, without its types. */
export type ExpressMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** An application of any Express, as far as this file knows it. */
interface Application {
  readonly locals?: Record<string, unknown>
  /** The application that this one is mounted in. */
  readonly parent?: Application
  use(handler: (error: unknown, request: unknown, response: ServerResponse, next: Next) => void): unknown
}

type Next = (error?: unknown) => void

/**
 * Observes the requests of an Express application, 4 or 5: `app.use(observe(box))`, before everything else. The
 * real error and the route's template come from the router itself, whether or not the application has error
 * handlers of its own. The instance is then found at `app.locals.deedbox`. (Ruling 4)
 */
export function observe<Request extends IncomingMessage = IncomingMessage>(
  box: Deedbox,
  options: AdapterOptions<Request> = {},
): ExpressMiddleware<Request> {
  checkAdapterOptions(options)
  const internals = internalsOf(box)
  /** Applications that this middleware has met. */
  const met = new WeakSet<object>()
  const middleware: ExpressMiddleware<Request> = function deedbox(request, response, next) {
    const scope = internals.lifecycle.begin(request, response)
    followRequest(request, response, scope, options.unhandled === 'answer')
    identifyUser(scope, request, options)
    const app = applicationOf(request)
    if (app !== undefined && !met.has(app)) {
      met.add(app)
      const isServed = scopeOfBox(internals.identity) === scope
      meet(app as unknown as Application, box, internals, options, isServed ? undefined : middleware)
    }
    runInScope(scope, next)
  }
  return middleware
}

/**
 * Serves the health endpoints of Dockerflow: `app.use(health(box, { checks: [] }))`, ahead of everything else, also of
 * `observe`; or below a path, `app.use('/ops', health(box))`. (DF-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(box: Deedbox, options: HealthOptions = {}): ExpressMiddleware {
  return serveOnExpress(healthExchange(box, options))
}

/** What is done once for each application, at its first request. */
function meet(
  app: Application,
  box: Deedbox,
  internals: Internals,
  options: AdapterOptions<never>,
  /** Absent where the server is observed too, so that nothing stands ahead of us. */
  middleware: object | undefined,
): void {
  const { locals } = app
  if (typeof locals === 'object' && locals !== null && !('deedbox' in locals)) locals.deedbox = box
  const behind = middleware === undefined ? 0 : routesAhead(app, middleware)
  if (behind > 0) {
    internals.notices.warn(
      'observed_late',
      `observe() stands behind ${behind} of the routes and routers of this application, whose requests are ` +
        'not recorded. Put app.use(observe(box)) first, or observe the server: attachServer(server, box).',
    )
  }
  if (options.unhandled !== 'answer' && options.validation !== 'answer') return
  let outermost = app
  while (typeof outermost.parent === 'function') outermost = outermost.parent
  // Behind all that the application has by its first request: its own error handlers come before.
  outermost.use(function answerUnhandled(error, _request, response, next) {
    const answer = failureAnswer(error, options)
    if (answer === undefined) next(error)
    else sendAnswer(response, answer)
  })
}

/** How many routes, routers and applications an application tries before it comes to the middleware. */
function routesAhead(app: Application, middleware: object): number {
  const stack = layersOf(app)
  const at = stack.findIndex(layer => Reflect.get(layer, 'handle') === middleware)
  return stack.slice(0, Math.max(0, at)).filter(servesRoutes).length
}

function servesRoutes(layer: object): boolean {
  if (Reflect.get(layer, 'route') !== undefined) return true
  const handle = Object(Reflect.get(layer, 'handle'))
  // An application in another is wrapped into a function that has nothing but this name.
  return Array.isArray(Reflect.get(handle, 'stack')) || Reflect.get(handle, 'name') === 'mounted_app'
}
