import type { IncomingMessage } from 'node:http'
import type { RequestScope } from '../request/index.ts'
import { listenUntilEnd } from './express-channel.ts'
import {
  applicationOf,
  type Followed,
  type FollowedResponse,
  followedFrom,
  followedKey,
} from './express-followed.ts'
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
  const app = applicationOf(request)
  const followed = response[followedKey] ?? followedFrom('the middle')
  response[followedKey] = followed
  if (passesRejections) followed.passesRejections = true
  addScope(followed, scope)
  if (app !== undefined && !isWatched(app)) followed.isClose = true
  if (!followed.isClose) return
  watchApplication(app)
  listenUntilEnd(followed, response)
}

function addScope(followed: Followed, scope: RequestScope): void {
  followed.scope ??= scope
  if (followed.scope === scope || followed.others?.includes(scope) === true) return
  followed.others ??= []
  followed.others.push(scope)
}
