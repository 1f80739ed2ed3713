import { tracingChannel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import {
  type Followed,
  type FollowedResponse,
  followedKey,
  matched,
  passMount,
  type RoutedRequest,
  report,
} from './express-followed.ts'

/** What the router publishes about one layer that it runs (`router` 2.3 and later). */
interface LayerTrace {
  readonly req: RoutedRequest
  readonly res: FollowedResponse
  readonly layer: object
  /** The pattern that matched in the layer's own router. */
  readonly route?: unknown
  readonly param?: string
  readonly errorHandler?: boolean
  readonly error?: unknown
}

/** How many responses need the channel now. */
let listeners = 0
let isForever = false

function listen(): void {
  if (listeners++ > 0) return
  const { start, error } = tracingChannel('express.router.request')
  start.subscribe(layerStarts)
  error.subscribe(layerFails)
}

function stopListening(): void {
  if (--listeners > 0) return
  const { start, error } = tracingChannel('express.router.request')
  start.unsubscribe(layerStarts)
  error.unsubscribe(layerFails)
}

/** Listens while a response is open. */
export function listenUntilEnd(followed: Followed, response: ServerResponse): void {
  // One whose client is gone has had its `close`; one without a server has none.
  if (isForever || followed.isHeard || response.destroyed || response.writableFinished) return
  followed.isHeard = true
  listen()
  const stop = (): void => {
    response.removeListener('close', stop)
    response.removeListener('finish', stop)
    stopListening()
  }
  response.once('close', stop)
  response.once('finish', stop)
}

/** Listens for good: for what cannot be watched. */
export function listenForever(): void {
  if (!isForever) listen()
  isForever = true
}

function layerStarts(message: unknown): void {
  const { req, res, layer, route, param, errorHandler } = message as LayerTrace
  const request = res[followedKey]
  if (request === undefined || param !== undefined || errorHandler === true) return
  if (Object.hasOwn(layer, 'method')) matched(request, req.baseUrl ?? '', route)
  else passMount(request, req.baseUrl ?? '', route)
}

function layerFails(message: unknown): void {
  const { res, error } = message as LayerTrace
  report(res[followedKey], error)
}
