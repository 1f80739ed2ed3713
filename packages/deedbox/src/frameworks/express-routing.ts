import type { IncomingMessage } from 'node:http'
import type { RequestScope } from '../request/index.ts'
import { listenUntilEnd } from './express-channel.ts'
import { type FollowedResponse, followedKey, type RoutedRequest } from './express-followed.ts'
import { isWatched, watchApplication } from './express-watching.ts'

/**
 * Follows a request through the routers, for the errors that happen and the route that matches: the methods of its
 * application's router and layers are replaced, once for all routers of one copy of Express. Its own channel, by which
 * later ones publish the same, costs a request several times as much. (node-observability §5.3, decision 0068)
 */
export function followRequest(
  request: IncomingMessage,
  response: FollowedResponse,
  scope: RequestScope,
  passesRejections: boolean,
): void {
  const { app } = request as RoutedRequest
  const known = response[followedKey]
  if (known === undefined) {
    response[followedKey] = { scope, others: undefined, passesRejections, isClose: true, mounts: undefined }
    watchApplication(app)
    listenUntilEnd(response)
    return
  }
  if (app === undefined || !isWatched(app)) {
    known.isClose = true
    watchApplication(app)
    listenUntilEnd(response)
  }
  if (passesRejections) known.passesRejections = true
  known.scope ??= scope
  if (known.scope === scope || known.others?.includes(scope) === true) return
  known.others ??= []
  known.others.push(scope)
}
