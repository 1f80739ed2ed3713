import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestScope } from '../request/index.ts'
import { mountTemplate, parametrise, patternText, routeTemplate } from './express-templates.ts'

/** A layer of any Express router, as far as this file knows it. */
export interface Layer {
  readonly name?: string
  readonly route?: Route | undefined
  /** The pattern of the layer, from `router` 2.3 on. */
  readonly rawPath?: unknown
  /** What of the path the layer matched, and its parameters, before `router` 2.3. */
  readonly path?: unknown
  readonly params?: Readonly<Record<string, unknown>>
  /** One for each pattern, from `router` 2 on. */
  readonly matchers?: readonly ((path: string) => unknown)[]
  readonly handle: ((...values: unknown[]) => unknown) & { readonly stack?: unknown }
  handleRequest?: HandleRequest
  handleError?: HandleError
  /** The names of Express 4. */
  handle_request?: HandleRequest
  handle_error?: HandleError
}

/** A route of any Express, with handlers for some methods. */
export interface Route {
  readonly path?: unknown
  /** By their names in lower case; `_all` stands for every one. */
  readonly methods?: Readonly<Record<string, boolean>>
}

/** An application of any Express. */
export interface Application {
  /** The application that this one is mounted in. */
  readonly parent?: unknown
}

/** A router of any Express, or an object that routers inherit from. */
export interface Router {
  readonly stack?: readonly Layer[]
  handle?: HandleRouter
}

/** A request of any Express. */
export interface RoutedRequest extends IncomingMessage {
  /** The innermost application that it is in. */
  readonly app?: unknown
  readonly baseUrl?: string
  readonly next?: Next
}

/** What a handler passes a request on with, or an error. */
export type Next = (error?: unknown) => void
export type HandleRouter = (
  this: Router,
  request: RoutedRequest,
  response: FollowedResponse,
  out: Next,
) => unknown
export type HandleRequest = (
  this: Layer,
  request: RoutedRequest,
  response: FollowedResponse,
  next: Next,
) => unknown
export type HandleError = (
  this: Layer,
  error: unknown,
  request: RoutedRequest,
  response: FollowedResponse,
  next: Next,
) => unknown

/** One request on its way through the routers. */
export interface Followed {
  /** Who observes it; nobody yet while it has not come to a middleware of ours. */
  scope: RequestScope | undefined
  /** Further instances that do. */
  others: RequestScope[] | undefined
  /** Express 4 leaves rejected handlers to the process; with this its error handlers get them, as in Express 5. */
  passesRejections: boolean
  /** Whether it is in a router that was not watched when it began: then each layer tells what it passes on. */
  isClose: boolean
  /** Whether the channel is listened to for it. */
  isHeard: boolean
  /** Templates of the mount points passed, by their concrete `baseUrl`; absent where there were none. */
  mounts: Map<string, string> | undefined
}

/** A property and not a WeakMap: with many short-lived keys those cost the collector dearly. */
export const followedKey: unique symbol = Symbol('deedbox.followed') as never

/** A response that carries what is followed of its exchange. */
export interface FollowedResponse extends ServerResponse {
  [followedKey]?: Followed
}

/** What is followed of a request from the outermost router on, or from the middle of one that nobody watched. */
export function followedFrom(start: 'the beginning' | 'the middle'): Followed {
  return {
    scope: undefined,
    others: undefined,
    passesRejections: false,
    isClose: start === 'the middle',
    isHeard: false,
    mounts: undefined,
  }
}

/** The application that a request is in; services put other things in its place, too. */
export function applicationOf({ app }: RoutedRequest): Application | undefined {
  return typeof app === 'function' ? (app as Application) : undefined
}

/** Tells an error to whoever observes the request; `'route'` and `'router'` are the router's own signals. */
export function report(request: Followed | undefined, error: unknown): void {
  if (request === undefined || !error || error === 'route' || error === 'router') return
  request.scope?.fail(error)
  if (request.others !== undefined) for (const scope of request.others) scope.fail(error)
}

/** Whether a route has a handler that answers HEAD. */
export function handlesHead({ methods }: Route): boolean {
  return methods === undefined || methods._all === true || methods.head === true || methods.get === true
}

/** What a layer was registered with; of several patterns the one that matched. */
export function patternOf(layer: Layer, request: RoutedRequest): unknown {
  const pattern = layer.rawPath ?? layer.route?.path
  return Array.isArray(pattern) ? matchedOf(pattern.flat(Number.POSITIVE_INFINITY), layer, request) : pattern
}

function matchedOf(patterns: readonly unknown[], layer: Layer, request: RoutedRequest): unknown {
  // From 2.3 on, each copy of the router has a symbol of its own for it.
  for (const key of Object.getOwnPropertySymbols(request)) {
    if (key.description !== 'router.tracing.matchedRoute') continue
    const found: unknown = Reflect.get(request, key)
    if (patterns.includes(found)) return found
  }
  const [path = ''] = request.url?.split('?') ?? []
  // To ask a regular expression could change its next answer.
  const at = layer.matchers?.findIndex((matches, i) => typeof patterns[i] === 'string' && matches(path))
  return patterns[at ?? 0] ?? patterns[0]
}

/** Tells the route that matched, from its own pattern and the mount points passed. */
export function matched(request: Followed, baseUrl: string, pattern: unknown): void {
  const own = patternText(pattern)
  if (own === undefined) return
  const template = routeTemplate(request.mounts?.get(baseUrl) ?? baseUrl, own)
  request.scope?.matched(template)
  if (request.others !== undefined) for (const scope of request.others) scope.matched(template)
}

/** Notes the mount point of a layer that a request comes to, if it has one. */
export function passLayer(request: Followed, layer: Layer, req: RoutedRequest): void {
  const { baseUrl = '' } = req
  if (layer.rawPath !== undefined) {
    if (layer.rawPath !== '/') passMount(request, baseUrl, patternOf(layer, req))
  } else if (typeof layer.path === 'string' && layer.path !== '' && baseUrl.endsWith(layer.path)) {
    const parent = baseUrl.slice(0, baseUrl.length - layer.path.length)
    const around = request.mounts?.get(parent) ?? parent
    mount(request, baseUrl, around + parametrise(layer.path, layer.params ?? {}))
  }
}

/** Notes a mount point from the concrete path so far and the pattern of its last part. */
export function passMount(request: Followed, baseUrl: string, pattern: unknown): void {
  if (pattern === '/' || baseUrl === '') return
  const template = mountTemplate(request.mounts, baseUrl, pattern)
  if (template !== undefined) mount(request, baseUrl, template)
  // What another router has left for the same path.
  else request.mounts?.delete(baseUrl)
}

function mount(request: Followed, baseUrl: string, template: string): void {
  request.mounts ??= new Map()
  request.mounts.set(baseUrl, template)
}
