import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HealthAnswer, HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { type RequestScope, runInScope } from '../request/index.ts'
import { type AdapterOptions, type FailureAnswer, failureAnswer, identifyUser } from './adapter.ts'
import { healthExchange } from './health-exchange.ts'

/** What of a Hono context the adapter uses; the context of Hono 4 fits, whatever its bindings and variables. */
export interface HonoContext {
  readonly env: unknown
  readonly error: Error | undefined
  readonly req: object
}

/** What of a Hono context health endpoints use. */
export interface HonoHealthContext extends HonoContext {
  readonly req: {
    readonly method: string
    readonly path: string
    header(name: string): string | undefined
  }
}

/** How a Hono application is observed. Write `(c: Context<Env>) => …` for a `user` that reads what Hono declares. */
export type ObserveHonoOptions<Context extends HonoContext = HonoContext> = AdapterOptions<Context>

/** For the type of the application, `new Hono<{ Variables: DeedboxVariables }>()`, so that `c.get` knows it. */
export interface DeedboxVariables {
  /** The instance that observes the request. (Ruling 4) */
  deedbox: Deedbox
}

/** A route as Hono keeps it. */
interface Route {
  /** `ALL` for what `app.use()` and `app.all()` made. */
  readonly method: string
  /** The template, with those of the applications around it. */
  readonly path: string
  readonly handler: Handler
}

interface Handler {
  readonly length: number
  /** What is inside, for a handler of an application with an error handler of its own. */
  readonly __COMPOSED_HANDLER?: Handler
}

/** What Hono keeps of the way that a request goes. */
interface Routing {
  /** The routes whose pattern fits, middlewares too, in the order in which they run. */
  readonly matchedRoutes?: readonly Route[]
  /** Which of them runs. */
  readonly routeIndex?: number
}

/**
 * Observes the requests of a Hono application on `@hono/node-server`: `app.use(observe(box))`, before everything
 * else. Hono hands each `Error` to `app.onError` and to nobody else, so it needs {@link onError} there for
 * `unhandled` and `validation` to hold for them too. The instance is then found at `c.get('deedbox')`.
 * Where there is no `node:http` request (`app.request()` in tests, other runtimes) it says so once and records nothing.
 */
export function observe<Context extends HonoContext = HonoContext>(
  box: Deedbox,
  options: ObserveHonoOptions<Context> = {},
): (c: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  checkAdapterOptions(options)
  const { lifecycle, notices } = internalsOf(box)
  return async function deedbox(c, next) {
    const exchange = rawExchange(c)
    if (exchange === undefined) {
      if (!isOnNode(c)) notices.warn('not_on_node', notOnNode)
      await next()
      return undefined
    }
    const scope = lifecycle.begin(exchange.incoming, exchange.outgoing)
    identifyUser(scope, c, options)
    shareInstance(c, box)
    // What fits first, until it is known what answered: the client may leave before.
    noteRoute(scope, c)
    try {
      await runInScope(scope, next)
      learn(scope, c)
      return undefined
    } catch (thrown) {
      // What is no Error, and what an error handler throws itself.
      learn(scope, c)
      scope.fail(thrown)
      const answer = failureAnswer(thrown, options)
      if (answer === undefined) throw thrown
      return responseOf(answer)
    }
  }
}

/**
 * The error handler of an application that shall not have Hono print what nobody handled, nor answer validation
 * errors its way: `app.onError(onError(box, { validation: 'answer' }))`. Answers 500 `Internal Server Error` as
 * plain text; an `HTTPException` is answered as it says. (FA-24, FA-25)
 */
export function onError(
  box: Deedbox,
  options: Pick<AdapterOptions<never>, 'validation'> = {},
): (error: Error, c: HonoContext) => Response {
  const { lifecycle } = internalsOf(box)
  return (error, c) => {
    const exchange = rawExchange(c)
    if (exchange !== undefined) lifecycle.begin(exchange.incoming, exchange.outgoing).fail(error)
    const { validation } = options
    const answer = failureAnswer(error, { validation })
    if (answer !== undefined) return responseOf(answer)
    const own: unknown = Reflect.get(error, 'getResponse')
    return typeof own === 'function' ? own.call(error) : responseOf(serverError)
  }
}

/**
 * Serves the health endpoints of Dockerflow: `app.use(health(box, { checks: [] }))`, ahead of everything else, also of
 * `observe`; below a path with `app.use('/ops/*', health(box))`. They answer in any runtime; a record needs
 * `@hono/node-server`. (DF-01)
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(
  box: Deedbox,
  options: HealthOptions = {},
): (c: HonoHealthContext, next: () => Promise<void>) => Promise<Response | undefined> {
  const exchange = healthExchange(box, options)
  return async function deedboxHealth(c, next) {
    const { method, path } = c.req
    const mount = path.includes('/__') ? mountOf(c) : ''
    const url = path.startsWith(mount) ? path.slice(mount.length) : ''
    const route = exchange.match(url)
    if (route === undefined) {
      await next()
      return undefined
    }
    const asked = { method, url, authorization: c.req.header('authorization') }
    const raw = rawExchange(c)
    const parts = raw && { request: raw.incoming, response: raw.outgoing }
    const answer = await new Promise<HealthAnswer>(respond => {
      exchange.answer(parts, mount + route, asked, respond)
    })
    if (answer.raise !== undefined) throw answer.raise
    const { status, headers, body } = answer
    return new Response(body === '' ? null : body, { status, headers: { ...headers } })
  }
}

/** The path where the running middleware is used, without parameters and stars. */
function mountOf({ req }: HonoContext): string {
  const { matchedRoutes, routeIndex = 0 } = req as Routing
  return /^[^*:]*(?=\/\*$)/.exec(matchedRoutes?.[routeIndex]?.path ?? '')?.[0] ?? ''
}

const serverError: FailureAnswer = failureAnswer(undefined, { unhandled: 'answer' })!

function responseOf({ status, contentType, body }: FailureAnswer): Response {
  return new Response(body, { status, headers: { 'Content-Type': contentType } })
}

const notOnNode =
  'observe() found no node:http request in c.env.incoming, so this request is not recorded: ' +
  'serve the application with @hono/node-server'

function isOnNode({ env }: HonoContext): boolean {
  return Reflect.get(Object(env), 'incoming') !== undefined
}

/** The raw exchange; `undefined` where there is none, and for the handshake of a WebSocket, which has no response. */
function rawExchange({
  env,
}: HonoContext): { incoming: IncomingMessage; outgoing: ServerResponse } | undefined {
  const { incoming, outgoing } = Object(env) as { incoming?: IncomingMessage; outgoing?: ServerResponse }
  return incoming === undefined || outgoing === undefined ? undefined : { incoming, outgoing }
}

function shareInstance(c: HonoContext, box: Deedbox): void {
  const variables = c as unknown as { get(name: string): unknown; set(name: string, value: unknown): void }
  if (variables.get('deedbox') === undefined) variables.set('deedbox', box)
}

function learn(scope: RequestScope, c: HonoContext): void {
  if (c.error !== undefined) scope.fail(c.error)
  noteRoute(scope, c)
}

/** Notes the route that answered, or that comes after the middleware that did. */
function noteRoute(scope: RequestScope, c: HonoContext): void {
  const { matchedRoutes, routeIndex = 0 } = c.req as Routing
  const route = matchedRoutes?.find((route, i) => i >= routeIndex && !isMiddleware(route))
  if (route !== undefined) scope.matched(route.path)
}

/** As Hono itself tells them apart where it lists routes: a handler takes no `next`. */
function isMiddleware({ method, handler }: Route): boolean {
  let own = handler
  while (own.__COMPOSED_HANDLER !== undefined) own = own.__COMPOSED_HANDLER
  return method === 'ALL' && own.length >= 2
}
