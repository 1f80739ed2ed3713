import { tracingChannel } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestScope } from '../request/index.ts'
import { isAsyncFunction } from './adapter.ts'

/** What the router publishes about one layer that it runs (`router` 2.3 and later). */
interface LayerTrace {
  readonly req: IncomingMessage & { readonly baseUrl?: string }
  readonly res: FollowedResponse
  readonly layer: object
  readonly handler: unknown
  /** The pattern that matched in the layer's own router. */
  readonly route?: unknown
  readonly param?: string
  readonly errorHandler?: boolean
  readonly error?: unknown
}

/** A layer of any Express router, as far as this file knows it. */
interface Layer {
  readonly route?: { readonly path?: unknown } | undefined
  /** The pattern of the layer, from `router` 2.3 on. */
  readonly rawPath?: unknown
  /** What of the path the layer matched, and its parameters, before `router` 2.3. */
  readonly path?: unknown
  readonly params?: Readonly<Record<string, unknown>>
  readonly handle: (...values: unknown[]) => unknown
  handleRequest?: HandleRequest
  handleError?: HandleError
  /** The names of Express 4. */
  handle_request?: HandleRequest
  handle_error?: HandleError
}

type HandleRequest = (
  this: Layer,
  request: LayerTrace['req'],
  response: FollowedResponse,
  next: Next,
) => unknown
type HandleError = (
  this: Layer,
  error: unknown,
  request: LayerTrace['req'],
  response: FollowedResponse,
  next: Next,
) => unknown

type Next = (error?: unknown) => void

/** One observed request on its way through the routers. */
interface Followed {
  readonly scopes: RequestScope[]
  /** Express 4 leaves rejected handlers to the process; with this its error handlers get them, as in Express 5. */
  passesRejections: boolean
  /** Templates of the mount points passed, by their concrete `baseUrl`; absent where there were none. */
  mounts: Map<string, string> | undefined
}

/** A property and not a WeakMap: with many short-lived keys those cost the collector dearly. */
const followedKey: unique symbol = Symbol('deedbox.followed') as never

interface FollowedResponse extends ServerResponse {
  [followedKey]?: Followed
}

/** Our middlewares whose router publishes what it does. */
const traced = new WeakSet<object>()
const ours = new WeakSet<object>()
/** Layer prototypes of routers that publish nothing, once they are wrapped. */
const wrapped = new WeakSet<object>()
let subscribed = false

/** Announces one of our middlewares, before the first request. */
export function prepareFollowing(middleware: object): void {
  ours.add(middleware)
  if (subscribed) return
  subscribed = true
  const channel = tracingChannel('express.router.request')
  channel.start.subscribe(message => layerStarts(message as LayerTrace))
  channel.error.subscribe(message => {
    const { res, error } = message as LayerTrace
    report(res[followedKey], error)
  })
}

/**
 * Follows a request through the routers, for the errors that happen and the route that matches. Routers that
 * publish neither (before 2.3) have their layers wrapped, at their first request. (node-observability §5.3)
 */
export function followRequest(
  request: IncomingMessage,
  response: FollowedResponse,
  scope: RequestScope,
  middleware: object,
  passesRejections: boolean,
): void {
  const known = response[followedKey]
  if (known === undefined) response[followedKey] = { scopes: [scope], mounts: undefined, passesRejections }
  else if (!known.scopes.includes(scope)) known.scopes.push(scope)
  if (passesRejections && known !== undefined) known.passesRejections = true
  if (!traced.has(middleware)) wrapLayers(request)
}

/** The layers of an application's router, in their order; none where they are not found. */
export function layersOf(app: unknown): readonly object[] {
  // Express 4 has its router under another name, and a getter that throws under this one.
  const router: unknown = Reflect.get(Object(app), '_router') ?? Reflect.get(Object(app), 'router')
  const stack: unknown = Reflect.get(Object(router), 'stack')
  return Array.isArray(stack) ? stack : []
}

function layerStarts(trace: LayerTrace): void {
  const { req, res, layer, handler, route } = trace
  if (typeof handler === 'function' && ours.has(handler)) traced.add(handler)
  const request = res[followedKey]
  if (request === undefined || trace.param !== undefined || trace.errorHandler === true) return
  if (Object.hasOwn(layer, 'method')) matched(request, req.baseUrl ?? '', route)
  else passMount(request, req.baseUrl ?? '', route)
}

function wrapLayers(request: IncomingMessage): void {
  const [first] = layersOf(Reflect.get(request, 'app'))
  if (first === undefined) return
  const prototype = Object.getPrototypeOf(first) as Layer
  if (wrapped.has(prototype)) return
  wrapped.add(prototype)
  const { handleRequest, handleError, handle_request: handleRequest4, handle_error: handleError4 } = prototype
  if (handleRequest !== undefined && handleError !== undefined) {
    prototype.handleRequest = watchedRequest(handleRequest, handleRequest)
    prototype.handleError = watchedError(handleError)
  } else if (handleRequest4 !== undefined && handleError4 !== undefined) {
    prototype.handle_request = watchedRequest(handleRequest4, callHandler)
    prototype.handle_error = watchedError(handleError4)
  }
}

function watchedRequest(original: HandleRequest, followed: HandleRequest): HandleRequest {
  return function (this: Layer, req, res, next) {
    const request = res[followedKey]
    if (request === undefined) return original.call(this, req, res, next)
    passLayer(request, this, req.baseUrl ?? '')
    return followed.call(this, req, res, watching(request, next))
  }
}

function watchedError(original: HandleError): HandleError {
  return function (this: Layer, error, req, res, next) {
    const request = res[followedKey]
    return original.call(this, error, req, res, request === undefined ? next : watching(request, next))
  }
}

/** What Express 4 does with a handler, and what it does not: it looks at the promise that an async one returns. */
function callHandler(this: Layer, req: LayerTrace['req'], res: FollowedResponse, next: Next): void {
  const handler = this.handle
  if (handler.length > 3) {
    next()
    return
  }
  try {
    const result = handler(req, res, next)
    if (!(result instanceof Promise)) return
    const request = res[followedKey]
    const passes = request?.passesRejections === true
    if (!passes && !isAsyncFunction(handler)) return
    result.catch(thrown => {
      if (passes) {
        next(thrown ?? new Error('Rejected without a reason'))
        return
      }
      report(request, thrown)
      // Rejecting again leaves the rejection as unhandled as it was.
      throw thrown
    })
  } catch (thrown) {
    next(thrown)
  }
}

function passLayer(request: Followed, layer: Layer, baseUrl: string): void {
  if (layer.route !== undefined) {
    matched(request, baseUrl, layer.route.path)
  } else if (!Object.hasOwn(layer, 'method')) {
    if (layer.rawPath !== undefined) passMount(request, baseUrl, layer.rawPath)
    else if (typeof layer.path === 'string' && layer.path !== '' && baseUrl.endsWith(layer.path)) {
      const parent = baseUrl.slice(0, baseUrl.length - layer.path.length)
      const around = request.mounts?.get(parent) ?? parent
      mount(request, baseUrl, around + parametrise(layer.path, layer.params ?? {}))
    }
  }
}

function watching(request: Followed, next: Next): Next {
  return error => {
    report(request, error)
    next(error)
  }
}

/** `'route'` and `'router'` are the router's own signals. */
function report(request: Followed | undefined, error: unknown): void {
  if (request === undefined || !error || error === 'route' || error === 'router') return
  for (const scope of request.scopes) scope.fail(error)
}

function matched(request: Followed, baseUrl: string, pattern: unknown): void {
  const base = request.mounts?.get(baseUrl) ?? baseUrl
  const own = patternText(pattern)
  if (own === undefined) return
  const template = own === '/' && base !== '' ? base : base + own
  for (const scope of request.scopes) scope.matched(template)
}

function passMount(request: Followed, baseUrl: string, pattern: unknown): void {
  if (typeof pattern !== 'string' || pattern === '/' || baseUrl === '') return
  mount(request, baseUrl, mountTemplate(request.mounts ?? new Map(), baseUrl, pattern.replace(/\/$/, '')))
}

function mount(request: Followed, baseUrl: string, template: string): void {
  request.mounts ??= new Map()
  request.mounts.set(baseUrl, template)
}

/**
 * The template of a mount point from its concrete path and the pattern of its last part: the template of the
 * mount point around it, which is the one whose rest has the pattern's form, and the pattern.
 */
function mountTemplate(mounts: ReadonlyMap<string, string>, baseUrl: string, pattern: string): string {
  const around = [...mounts.keys()]
    .filter(base => baseUrl.startsWith(`${base}/`))
    .sort((a, b) => b.length - a.length)
    .find(base => hasForm(baseUrl.slice(base.length), pattern))
  if (around !== undefined) return (mounts.get(around) ?? '') + pattern
  return hasForm(baseUrl, pattern) ? pattern : baseUrl
}

function hasForm(path: string, pattern: string): boolean {
  const segments = path.toLowerCase().split('/')
  const parts = pattern.toLowerCase().split('/')
  return (
    segments.length === parts.length && parts.every((part, i) => /[:*{]/.test(part) || part === segments[i])
  )
}

/** A concrete path with the values of its parameters replaced by their names: `/orgs/7` becomes `/orgs/:org`. */
function parametrise(path: string, params: Readonly<Record<string, unknown>>): string {
  const names = Object.entries(params)
  return path
    .split('/')
    .map(segment => {
      const found = names.find(([, value]) => value === segment || value === decode(segment))
      return found === undefined ? segment : `:${found[0]}`
    })
    .join('/')
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function patternText(pattern: unknown): string | undefined {
  if (typeof pattern === 'string') return pattern
  if (pattern instanceof RegExp) return String(pattern)
  return Array.isArray(pattern) ? patternText(pattern[0]) : undefined
}
