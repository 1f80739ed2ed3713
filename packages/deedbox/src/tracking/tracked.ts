import { type AnyFunction, copyMetadata, type MethodContext } from '../audit/index.ts'
import type { RequestScope } from '../request/index.ts'
import { ConfigurationError } from '../safety/index.ts'
import { type TrackedInput, type TrackingRule, trackingRule } from './tracking-rule.ts'

/**
 * As it stands in front of a handler: a middleware of Express, Koa, Hono and Nest, or a hook of Fastify. What Koa and Hono call
 * `next` is any object here, because Fastify's types take what returns a promise for an asynchronous hook. (FC-14)
 */
export interface TrackedMiddleware {
  (request: object, response: object, next: () => void): void
  (request: object, reply: object, payload: unknown, done: () => void): void
  (context: object, next: object): Promise<void>
}

/** A decorator for methods: a standard one, and one for TypeScript's `experimentalDecorators`. */
export interface TrackedDecorator {
  <Method extends AnyFunction>(method: Method, context: MethodContext): Method
  <Method>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>
}

/** Has the variables of the requests that pass written to chests, by a rule of their own. (FC-01 … FC-14) */
export interface Tracked<Name extends string = string> {
  /**
   * Wraps a handler, or any function that runs in a request or job. Nothing else about it changes, except that a promise that
   * it gives may wait for the chests: with `raise`, that of an answer, and in a job, with `await` too.
   * @throws ConfigurationError for options that are none
   */
  <Handler extends AnyFunction>(input: TrackedInput<Name> | undefined, handler: Handler): Handler
  /**
   * Makes a middleware.
   * @throws ConfigurationError for options that are none
   */
  (input?: TrackedInput<Name>): TrackedMiddleware
}

/** Where the calling code is; `undefined`, which is said, where there is nothing to track. */
type Place = () => RequestScope | undefined

/** Builds a `tracked`; which request it acts on is asked at each call. */
export function createTracked(place: Place): Tracked {
  function tracked(input?: TrackedInput, handler?: unknown): unknown {
    const rule = trackingRule(input)
    if (handler === undefined) return middleware(rule, place)
    if (typeof handler !== 'function')
      throw new ConfigurationError('tracked()', 'what follows the variables is the handler, a function.')
    return trackedFunction(handler as Callable, rule, place)
  }
  return tracked as Tracked
}

/**
 * Builds a decorator of methods.
 * @throws ConfigurationError for options that are none, and where it stands above anything but a method
 */
export function trackedDecorator(input: TrackedInput | undefined, place: Place): TrackedDecorator {
  const rule = trackingRule(input, 'Tracked()')
  const decorate = (target: unknown, _key: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (typeof descriptor?.value === 'function')
      return { ...descriptor, value: trackedFunction(descriptor.value, rule, place) }
    if (descriptor === undefined && typeof target === 'function')
      return trackedFunction(target as Callable, rule, place)
    throw new ConfigurationError('Tracked()', 'this decorates methods.')
  }
  return decorate as TrackedDecorator
}

type Callable = (this: unknown, ...args: unknown[]) => unknown

function middleware(rule: TrackingRule, place: Place): TrackedMiddleware {
  // Frameworks tell middlewares from handlers by their number of parameters.
  function deedboxTracked(first: unknown, second: unknown, third?: unknown, ...more: unknown[]): unknown {
    const scope = place()
    scope?.track(rule)
    // Fastify's hooks with a payload have it before what goes on.
    const goOn = [third, ...more].findLast(each => typeof each === 'function') as (() => void) | undefined
    if (goOn !== undefined) return void goOn()
    if (typeof second !== 'function') return undefined
    return passOn(second as () => Promise<unknown>, first, rule, scope)
  }
  return deedboxTracked as TrackedMiddleware
}

/** In Koa and Hono the answer is there when all that comes behind is done, and not yet on its way. */
async function passOn(
  next: () => Promise<unknown>,
  context: unknown,
  rule: TrackingRule,
  scope: RequestScope | undefined,
): Promise<void> {
  await next()
  if (scope === undefined || !isSettled(rule, scope)) return
  const { error, finalized, res } = context as { error?: unknown; finalized?: boolean; res?: unknown }
  // Hono keeps to itself what was thrown; the answer to an error waits by itself.
  if (error === undefined) await scope.settle(rule, finalized === true ? statusOf(res) : undefined)
}

/**
 * Whether the variables are written before what was called is done. Where a response can wait for them instead, that is
 * needed only to have the framework know of a failure.
 */
function isSettled(rule: TrackingRule, scope: RequestScope): boolean {
  return scope.hasResponse ? rule.raises : rule.isAwaited
}

/**
 * The function, each call of it tracked. A proxy and not a function around it: name, length, own members and prototype are
 * the function's, and to who asks it is as asynchronous. What it returns stays the same but for promises that can wait.
 */
function trackedFunction(work: Callable, rule: TrackingRule, place: Place): Callable {
  const proxy: Callable = new Proxy(work, {
    apply(target, self, args: unknown[]) {
      const scope = place()
      scope?.track(rule)
      const result = Reflect.apply(target, self, args)
      if (scope === undefined || !isSettled(rule, scope) || !isThenable(result)) return result
      return scope.hasResponse && isLeft(result, args) ? result : settled(result, args, rule, scope)
    },
  })
  copyMetadata(work, proxy)
  return proxy
}

/** What was promised, once the variables are written as well. */
function settled(
  promised: PromiseLike<unknown>,
  args: readonly unknown[],
  rule: TrackingRule,
  scope: RequestScope,
): Promise<unknown> {
  const answer: Promise<unknown> = Promise.resolve(promised).then(async value => {
    // A handler of Koa returns nothing either, but is called with what comes behind it.
    const isKoa = args.length === 2 && typeof args[1] === 'function'
    if (scope.hasResponse && (isLeft(value, args) || (value === undefined && !isKoa))) return value
    try {
      await scope.settle(rule, statusOf(value))
    } catch (failure) {
      // What nobody waits for would end the process. A notice has told of it.
      answer.catch(() => undefined)
      throw failure
    }
    return value
  })
  return answer
}

/** Whether a function answers by a response that it was handed, whatever it returns: then that response waits. */
function isLeft(value: unknown, args: readonly unknown[]): boolean {
  return args.includes(value) || args.some(isResponse)
}

/** One of `node:http`, of `node:http2`, or around one. */
function isResponse(value: unknown): boolean {
  const { writeHead, end } = Object(value) as { writeHead?: unknown; end?: unknown }
  return typeof writeHead === 'function' && typeof end === 'function'
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof Object(value).then === 'function'
}

/** The status of a `Response`, which its `node:http` response learns later. */
function statusOf(value: unknown): number | undefined {
  const { status, headers } = Object(value) as { status?: unknown; headers?: unknown }
  return typeof status === 'number' && typeof headers === 'object' ? status : undefined
}
