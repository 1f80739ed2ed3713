import { tracingChannel } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import {
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

let listeners = 0
let isForever = false

export function listen(): void {
  if (listeners++ > 0) return
  const { start, error } = tracingChannel('express.router.request')
  start.subscribe(layerStarts)
  error.subscribe(layerFails)
}

export function stopListening(): void {
  if (--listeners > 0) return
  const { start, error } = tracingChannel('express.router.request')
  start.unsubscribe(layerStarts)
  error.unsubscribe(layerFails)
}

export function listenUntilEnd(response: ServerResponse): void {
  if (isForever) return
  listen()
  response.once('close', stopListening)
}

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
