import { errorMonitor } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { trackedScope } from '../default-instance.ts'
import type { HealthOptions } from '../health/index.ts'
import type { Deedbox } from '../instance.ts'
import { type Internals, internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { scopeOfBox } from '../request/index.ts'
import { type TrackedDecorator, type TrackedInput, trackedDecorator } from '../tracking/index.ts'
import { type AdapterOptions, type FailureAnswer, failureAnswer, sendAnswer } from './adapter.ts'
import { attachServer, type HttpServer } from './attach-server.ts'
import { type ExpressMiddleware, observe as observeExpress, serveOnExpress } from './express.ts'
import { type ObservedFastify, observe as observeFastify } from './fastify.ts'
import { healthExchange } from './health-exchange.ts'
import { type CaughtException, rawExchange, watchExceptions } from './nest-exceptions.ts'

export type { AdapterOptions, ErrorPolicy } from './adapter.ts'

/** What of a Nest application the adapter needs: that of `NestFactory.create()`, on Express or Fastify. */
export interface NestApp {
  getHttpAdapter(): { getType(): string; getInstance(): unknown }
  getHttpServer(): HttpServer
}

/** What Express and Fastify requests have in common, and `user`, where guards leave who makes the request. */
export interface NestRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly user?: { readonly id?: string }
}

/** How a Nest application is observed. */
export type ObserveNestOptions<Request = NestRequest> = AdapterOptions<Request>

/** What {@link deedboxProvider} gives to a module. */
export interface DeedboxProvider {
  readonly provide: 'deedbox'
  readonly useValue: Deedbox
}

/** How one instance observes an application. */
interface Observation {
  readonly box: Deedbox
  readonly internals: Internals
  readonly options: AdapterOptions<never>
}

/** Nest's adapter to its platform, as far as only this file knows it. */
interface HttpAdapter {
  use(middleware: ExpressMiddleware): unknown
  reply(response: unknown, body: unknown, status?: number): unknown
}

/** Observations by the application's platform adapter, which is the same behind each of Nest's proxies. */
const observed = new WeakMap<object, Observation[]>()

/**
 * Observes a Nest application on Express or Fastify: `observe(box)(await NestFactory.create(AppModule))`, before
 * `listen()`, `init()`, and before the application's own `use()`. The real error comes from Nest's exceptions
 * layer, whichever filters the application has; the route from the platform's router. The instance is then found
 * at `app.locals.deedbox` on Express, `fastify.deedbox` on Fastify. (Ruling 4)
 * @returns a function that gives back the application it was given
 */
export function observe<Request = NestRequest>(
  box: Deedbox,
  options: ObserveNestOptions<Request> = {},
): <App extends NestApp>(app: App) => App {
  checkAdapterOptions(options)
  const internals = internalsOf(box)
  return app => {
    const adapter = app.getHttpAdapter()
    const known = observed.get(adapter)
    if (known?.some(each => each.internals.identity === internals.identity)) return app
    const observation: Observation = { box, internals, options }
    if (known !== undefined) known.push(observation)
    else watchApplication(app, adapter, observation)
    // Ahead of everything, also of middleware that Nest runs before any hook of Fastify's.
    attachServer(app.getHttpServer(), box)
    const platform = adapter.getType()
    if (platform === 'fastify') onFastify(adapter.getInstance() as ObservedFastify, observation)
    else if (platform === 'express')
      onExpress(adapter as unknown as HttpAdapter, adapter.getInstance(), observation)
    return app
  }
}

/**
 * Serves the health endpoints of Dockerflow: `health(box, { checks: [] })(app)`, where `observe` stands, before the
 * application's own `use()`. The global prefix, guards, interceptors and pipes do not concern them. (DF-01)
 * @returns a function that gives back the application it was given
 * @throws ConfigurationError naming the option or variable at fault
 */
export function health(box: Deedbox, options: HealthOptions = {}): <App extends NestApp>(app: App) => App {
  const exchange = healthExchange(box, options)
  return app => {
    const adapter = app.getHttpAdapter() as unknown as HttpAdapter
    // On Fastify as well: there Nest runs middleware ahead of all hooks but its own.
    adapter.use(serveOnExpress(exchange))
    return app
  }
}

/**
 * A provider of the instance under the token `deedbox`: `providers: [deedboxProvider(box)]`, then
 * `@Inject('deedbox') box: Deedbox`. The free functions `log`, `set`, `event` … need none.
 */
export function deedboxProvider(box: Deedbox): DeedboxProvider {
  return { provide: 'deedbox', useValue: box }
}

/**
 * Decorates a method of a controller so that its requests are tracked by a rule of their own, as `tracked()` does it:
 * `@Tracked(['user_id'])`, above or below the decorators of Nest. (FC-14)
 * @throws ConfigurationError for options that are none
 */
export function Tracked(input?: TrackedInput): TrackedDecorator {
  return trackedDecorator(input, trackedScope)
}

function watchApplication(app: NestApp, adapter: object, first: Observation): void {
  const observations = [first]
  observed.set(adapter, observations)
  const isWatched = watchExceptions(app, adapter, {
    caught(exception) {
      for (const each of observations) take(exception, each)
    },
    left: exception => observations.some(each => answer(exception, each)),
  })
  if (!isWatched) {
    first.internals.notices.warn(
      'nest_exceptions',
      'This version of Nest keeps its exceptions elsewhere: requests are recorded, but without their errors',
    )
  }
  watchReplies(adapter as HttpAdapter, observations)
}

function take({ thrown, isUnmatched, ...exchange }: CaughtException, { internals }: Observation): void {
  const raw = rawExchange(exchange.request, exchange.response)
  const scope =
    raw === undefined ? scopeOfBox(internals.identity) : internals.lifecycle.begin(raw.request, raw.response)
  if (!isUnmatched) scope?.fail(thrown)
  // Nest serves what nobody serves by routes of its own.
  else if (scope !== undefined) scope.route = undefined
}

function answer({ thrown, request, response }: CaughtException, { options }: Observation): boolean {
  const given = answerTo(thrown, options)
  const raw = given === undefined ? undefined : rawExchange(request, response)
  if (given === undefined || raw === undefined) return false
  const reply = response as { readonly sent?: boolean; hijack?(): unknown }
  if (typeof reply.hijack === 'function') {
    // Fastify is sending the handler's answer already; the error came too late to change it.
    if (reply.sent === true && !raw.response.headersSent) return true
    reply.hijack()
  }
  sendAnswer(raw.response, given)
  return true
}

/** An `HttpException` is how an application answers; only its validation errors are answered in Nest's place. */
function answerTo(thrown: unknown, options: AdapterOptions<never>): FailureAnswer | undefined {
  const isAnswer =
    thrown instanceof Error && 'getStatus' in thrown && typeof Reflect.get(thrown, 'getStatus') === 'function'
  const { validation } = options
  return failureAnswer(thrown, isAnswer ? (validation === undefined ? {} : { validation }) : options)
}

/** A stream that a handler returns is sent by the platform, which ends or cuts the response when it fails. */
function watchReplies(adapter: HttpAdapter, observations: readonly Observation[]): void {
  const { reply } = adapter
  if (typeof reply !== 'function') return
  adapter.reply = function (this: HttpAdapter, response, body, status) {
    const stream = streamOf(body)
    for (const { internals } of stream === undefined ? [] : observations) {
      const scope = scopeOfBox(internals.identity)
      stream?.once(errorMonitor, error => scope?.fail(error))
    }
    return reply.call(this, response, body, status)
  }
}

/** The stream in a `StreamableFile`, or one as it is. */
function streamOf(body: unknown): Readable | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const getStream: unknown = Reflect.get(body, 'getStream')
  const stream: unknown = typeof getStream === 'function' ? getStream.call(body) : body
  return typeof stream === 'object' && stream !== null && 'pipe' in stream && 'once' in stream
    ? (stream as Readable)
    : undefined
}

/** Nest registers its body parsers in `init()`: what is used now comes before them. */
function onExpress(adapter: HttpAdapter, express: unknown, { box, options }: Observation): void {
  const locals: unknown = Reflect.get(Object(express), 'locals')
  if (typeof locals === 'object' && locals !== null && !('deedbox' in locals))
    Reflect.set(locals, 'deedbox', box)
  adapter.use(observeExpress(box, userOf(options)))
}

/** Not by `register()`, which waits until the application boots. */
function onFastify(fastify: ObservedFastify, { box, options }: Observation): void {
  observeFastify(box, userOf(options))(fastify, {}, () => undefined)
}

/** Errors never get to the platform, so neither do our answers. */
function userOf<Request>({ user }: AdapterOptions<never>): AdapterOptions<Request> {
  return user === undefined ? {} : { user: request => user(request as never) }
}
