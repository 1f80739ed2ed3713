import { type EventEmitter, errorMonitor } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { format } from 'node:util'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { checkAdapterOptions } from '../option-shapes.ts'
import { type RequestScope, runInScope } from '../request/index.ts'
import {
  type AdapterOptions,
  type FailureAnswer,
  failureAnswer,
  identifyUser,
  sendAnswer,
} from './adapter.ts'
import { type RoutedContext, routeOf } from './koa-routing.ts'

export { health, type KoaHealthContext } from './koa-health.ts'

/** What of a Koa context the adapter uses; the context of Koa 2 and 3 fits. */
export interface KoaContext {
  readonly app: Pick<EventEmitter, 'on' | 'emit' | 'listenerCount'> & { readonly context: object }
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** How a Koa application is observed. Write `(ctx: Koa.Context) => …` for a `user` that reads what Koa declares. */
export type ObserveKoaOptions<Context extends KoaContext = KoaContext> = AdapterOptions<Context>

/** One observed request on its way through the application. */
interface Followed {
  readonly scopes: RequestScope[]
  /** Koa's own error handling, or what the application put in its place. */
  readonly onerror: FollowedContext['onerror']
  /** The options that ask us to answer, if any do. */
  answers: AdapterOptions<never> | undefined
  /** Koa is told of an error that the scopes know already. */
  telling: boolean
}

const followedKey: unique symbol = Symbol('deedbox.followed') as never
const heardKey: unique symbol = Symbol('deedbox.heard') as never

interface FollowedContext extends KoaContext, RoutedContext {
  readonly app: KoaContext['app'] & { silent?: boolean; [heardKey]?: true }
  status: number
  onerror(this: FollowedContext, thrown: unknown): void
  [followedKey]?: Followed
}

/**
 * Observes the requests of a Koa 2 or 3 application: `app.use(observe(box))`, before everything else. The real
 * error is the one that passes the middleware, that the application emits as its `error` event, or that breaks a
 * body stream; the route is the one of `@koa/router`. The instance is then found at `ctx.deedbox`. (Ruling 4)
 */
export function observe<Context extends KoaContext = KoaContext>(
  box: Deedbox,
  options: ObserveKoaOptions<Context> = {},
): (ctx: Context, next: () => Promise<unknown>) => Promise<void> {
  checkAdapterOptions(options)
  const { lifecycle } = internalsOf(box)
  return function deedbox(context, next) {
    const ctx = context as unknown as FollowedContext
    const scope = lifecycle.begin(ctx.req, ctx.res)
    identifyUser(scope, context, options)
    if (!('deedbox' in ctx)) Reflect.set(ctx.app.context, 'deedbox', box)
    const followed = follow(ctx, scope)
    if (options.unhandled === 'answer' || options.validation === 'answer') followed.answers = options
    return continueInScope(scope, runInScope(scope, pass, ctx, followed, next))
  }
}

async function pass(ctx: FollowedContext, followed: Followed, next: () => Promise<unknown>): Promise<void> {
  try {
    await next()
  } catch (thrown) {
    report(followed, thrown)
    // Koa takes this for no error at all, and would never answer.
    if (isNothing(thrown) && answerTo(followed, thrown) !== undefined) handle(ctx, followed, thrown)
    else throw thrown
  } finally {
    noteRoute(ctx, followed)
  }
}

function follow(ctx: FollowedContext, scope: RequestScope): Followed {
  const known = ctx[followedKey]
  if (known !== undefined) {
    if (!known.scopes.includes(scope)) known.scopes.push(scope)
    return known
  }
  const followed: Followed = { scopes: [scope], onerror: ctx.onerror, answers: undefined, telling: false }
  ctx[followedKey] = followed
  ctx.onerror = onerrorInScope
  // For the client that leaves while the handler is at work: the record is made after these listeners.
  ctx.res.once('close', () => noteRoute(ctx, followed))
  const { app } = ctx
  if (app[heardKey] === undefined) {
    app[heardKey] = true
    app.on(errorMonitor, hearError)
  }
  return followed
}

/**
 * Koa hangs its response phase on the promise of its first middleware, and would run it outside of the request.
 * Called in here, `then` keeps the scope. Whoever awaits the promise instead notices nothing.
 */
function continueInScope(scope: RequestScope, passed: Promise<void>): Promise<void> {
  const then: typeof passed.then = (fulfilled, rejected) =>
    runInScope(scope, () => Promise.prototype.then.call(passed, fulfilled, rejected)) as never
  return Object.assign(passed, { then })
}

/** In the place of `ctx.onerror`, where all errors end that nobody handled, those of body streams too. */
function onerrorInScope(this: FollowedContext, thrown: unknown): void {
  const followed = this[followedKey]!
  // Koa comes here after every response, mostly without an error.
  if (isNothing(thrown)) followed.onerror.call(this, thrown)
  else handle(this, followed, thrown)
}

function handle(ctx: FollowedContext, followed: Followed, thrown: unknown): void {
  report(followed, thrown)
  const answer = answerTo(followed, thrown)
  followed.telling = true
  try {
    runInScope(followed.scopes.at(-1)!, () => {
      if (answer !== undefined) answerInstead(ctx, thrown, answer)
      else if (followed.answers?.unhandled !== 'answer') followed.onerror.call(ctx, thrown)
      else silently(ctx, () => followed.onerror.call(ctx, thrown))
    })
  } finally {
    followed.telling = false
  }
}

/** Tells the application's listeners as Koa does, and answers. */
function answerInstead(ctx: FollowedContext, thrown: unknown, answer: FailureAnswer): void {
  const { app } = ctx
  const error = isError(thrown) ? thrown : new Error(format('non-error thrown: %j', thrown))
  if (app.listenerCount('error') > 0) silently(ctx, () => app.emit('error', error, ctx))
  // Koa's own question, `ctx.writable`, is false for HEAD over HTTP/2, where it leaves the client waiting.
  if (ctx.res.destroyed || ctx.res.socket?.destroyed === true) return
  // Also sets the reason phrase, which Koa has set for whatever status there was before.
  ctx.status = answer.status
  sendAnswer(ctx.res, answer)
}

/** Koa's own listener, which prints the error again and without the request, asks for this. */
function silently({ app }: FollowedContext, work: () => void): void {
  const { silent } = app
  app.silent = true
  try {
    work()
  } finally {
    app.silent = silent
  }
}

/** The custom of Koa: who handles an error tells the application with `ctx.app.emit('error', error, ctx)`. */
function hearError(error: unknown, ctx: unknown): void {
  const followed = typeof ctx === 'object' && ctx !== null ? (ctx as FollowedContext)[followedKey] : undefined
  if (followed !== undefined && !followed.telling) report(followed, error)
}

function report(followed: Followed, thrown: unknown): void {
  for (const scope of followed.scopes) scope.fail(thrown)
}

function answerTo({ answers }: Followed, thrown: unknown): FailureAnswer | undefined {
  return answers === undefined ? undefined : failureAnswer(thrown, answers)
}

function noteRoute(ctx: FollowedContext, { scopes }: Followed): void {
  const template = routeOf(ctx)
  if (template !== undefined) for (const scope of scopes) scope.matched(template)
}

function isNothing(thrown: unknown): thrown is null | undefined {
  return thrown === null || thrown === undefined
}

/** As Koa asks, so that errors of other realms pass. */
function isError(thrown: unknown): boolean {
  return Object.prototype.toString.call(thrown) === '[object Error]' || thrown instanceof Error
}
