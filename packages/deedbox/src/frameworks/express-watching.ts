import { isAsyncFunction } from './adapter.ts'
import { listenForever, listenUntilEnd } from './express-channel.ts'
import {
  type Application,
  applicationOf,
  type Followed,
  type FollowedResponse,
  followedFrom,
  followedKey,
  type HandleError,
  type HandleRequest,
  type HandleRouter,
  handlesHead,
  type Layer,
  matched,
  type Next,
  passLayer,
  patternOf,
  type RoutedRequest,
  type Router,
  report,
} from './express-followed.ts'

/** The objects that routers and layers inherit from, once their methods tell us what they do. */
const watched = new WeakSet<object>()
/** Applications whose routers are watched, as far as they can be. */
const watchedApplications = new WeakSet<object>()
/** Layers whose router or application has been looked at. */
const entered = new WeakSet<object>()
/** How many requests have passed a layer with a mounted application. */
const passed = new WeakMap<object, number>()
/** For so many of them the channel is listened to. */
const mostPassed = 10

/** Whether the routers of an application are watched. */
export function isWatched(app: Application): boolean {
  return watchedApplications.has(app)
}

/** The layers of an application's router, in their order; none where they are not found. */
export function layersOf(app: unknown): readonly object[] {
  return routerOf(app)?.stack ?? []
}

function routerOf(app: unknown): Router | undefined {
  try {
    // Express 4 has its router under another name, once there is one, and a getter that throws under this one.
    const router: unknown = Reflect.get(Object(app), '_router') ?? Reflect.get(Object(app), 'router')
    return Array.isArray(Reflect.get(Object(router), 'stack')) ? (router as Router) : undefined
  } catch {
    return undefined
  }
}

/** Has the routers of an application watched, and of those that it is mounted in. */
export function watchApplication(app: Application | undefined): void {
  let isFound = app !== undefined
  for (let each: unknown = app; typeof each === 'function'; each = (each as Application).parent) {
    if (watchedApplications.has(each)) break
    watchedApplications.add(each)
    const router = routerOf(each)
    if (router === undefined || !watchRouters(router)) isFound = false
  }
  // A router without an application is nowhere to be found.
  if (!isFound) listenForever()
}

/** Has a router watched, and those in it. @returns whether the router itself is watched from now on */
function watchRouters(router: Router): boolean {
  const isWatched = watchRouter(router)
  for (const layer of router.stack ?? []) enterRouter(layer)
  return isWatched
}

/** A router in another may be of another copy of Express. */
function enterRouter(layer: Layer): void {
  const router: unknown = layer.handle
  if (typeof router !== 'function' || entered.has(layer)) return
  const stack: unknown = Reflect.get(router, 'stack')
  if (!Array.isArray(stack) || stack.length === 0) return
  entered.add(layer)
  watchRouters(router as unknown as Router)
}

function watchRouter(router: Router): boolean {
  const kind = ownerOf(router, 'handle')
  const [layer] = router.stack ?? []
  if (kind?.handle === undefined || layer === undefined) return false
  if (watched.has(kind)) return true
  if (!watchLayers(Object.getPrototypeOf(Object(layer)) as Layer | null)) return false
  if (!Reflect.set(kind, 'handle', watchedRouter(kind.handle))) return false
  watched.add(kind)
  return true
}

/** The object among those that another inherits from that has the method. */
function ownerOf(inheritor: object, method: string): Router | undefined {
  let owner: object | null = inheritor
  while (owner !== null && !Object.hasOwn(owner, method))
    owner = Object.getPrototypeOf(owner) as object | null
  return owner ?? undefined
}

/** @returns whether layers of this kind are watched from now on; not if they are none of Express, or frozen */
function watchLayers(kind: Layer | null): boolean {
  if (kind === null) return false
  if (watched.has(kind)) return true
  const { handleRequest, handleError, handle_request: handleRequest4, handle_error: handleError4 } = kind
  if (handleRequest !== undefined && handleError !== undefined) {
    if (!Reflect.set(kind, 'handleRequest', watchedRequest(handleRequest, handleRequest))) return false
    Reflect.set(kind, 'handleError', watchedError(handleError))
  } else if (handleRequest4 !== undefined && handleError4 !== undefined) {
    if (!Reflect.set(kind, 'handle_request', watchedRequest(handleRequest4, callHandler))) return false
    Reflect.set(kind, 'handle_error', watchedError(handleError4))
  } else return false
  watched.add(kind)
  return true
}

/** Tells the errors that leave a router, except into the one around it, whose layers are told of them. */
function watchedRouter(original: HandleRouter): HandleRouter {
  return function handle(req, res, out) {
    if (typeof out !== 'function' || out === req.next || !res) return original.call(this, req, res, out)
    // Whoever has passed it on to this router has left a `next` of his own.
    res[followedKey] ??= followedFrom(req.next === undefined ? 'the beginning' : 'the middle')
    return original.call(this, req, res, error => {
      report(res[followedKey], error)
      out(error)
    })
  }
}

function watchedRequest(original: HandleRequest, followed: HandleRequest): HandleRequest {
  return function handleRequest(req, res, next) {
    const request = res?.[followedKey]
    if (request === undefined) return original.call(this, req, res, next)
    const told = request.isClose ? watching(request, next) : next
    const { route } = this
    if (route !== undefined) {
      // HEAD comes into each route, also where it has no handler.
      if (req.method !== 'HEAD' || handlesHead(route))
        matched(request, req.baseUrl ?? '', patternOf(this, req))
      return followed.call(this, req, res, told)
    }
    passLayer(request, this, req)
    if (this.name === 'mounted_app') passApplication(this, request, res)
    else if (this.handle.stack !== undefined) enterRouter(this)
    const { app } = req
    const result = followed.call(this, req, res, told)
    // It is in another application now, which was mounted, or called by hand.
    if (req.app !== app) watchEntered(applicationOf(req))
    return result
  }
}

/** Each error that a layer passes on comes to a layer behind it, or leaves the router. */
function watchedError(original: HandleError): HandleError {
  return function handleError(error, req, res, next) {
    const request = res?.[followedKey]
    report(request, error)
    return original.call(this, error, req, res, request?.isClose === true ? watching(request, next) : next)
  }
}

function watching(request: Followed, next: Next): Next {
  return error => {
    report(request, error)
    next(error)
  }
}

/**
 * An application in another may be of another copy of Express, and is nowhere to be found before a request stays in it for
 * a while. The first requests that pass it are listened to for that.
 */
function passApplication(layer: Layer, request: Followed, res: FollowedResponse): void {
  if (entered.has(layer)) return
  const times = passed.get(layer) ?? 0
  passed.set(layer, times + 1)
  if (times < mostPassed) listenUntilEnd(request, res)
  else entered.add(layer)
}

/** One that has nothing yet is watched once it has. */
function watchEntered(app: Application | undefined): void {
  if (app !== undefined && !watchedApplications.has(app) && layersOf(app).length > 0) watchApplication(app)
}

/** What Express 4 does with a handler, and what it does not: it looks at the promise that an async one returns. */
function callHandler(this: Layer, req: RoutedRequest, res: FollowedResponse, next: Next): void {
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
