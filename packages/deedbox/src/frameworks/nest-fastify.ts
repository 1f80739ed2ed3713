import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { runInScope } from '../request/index.ts'
import { type AdapterOptions, identifyUser } from './adapter.ts'

/** What of a Fastify instance the hooks need. */
export interface FastifyLike {
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void,
  ): unknown
  hasDecorator?(name: string): boolean
  decorate?(name: string, value: unknown): unknown
}

interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly is404?: boolean
  readonly routeOptions?: { readonly url?: string | undefined }
}

interface FastifyReplyLike {
  readonly raw: ServerResponse
}

/**
 * Tells the route and the user of the requests of a Nest application's Fastify instance, and opens the scope of
 * those that do not come from its server (`inject`). Errors do not get this far: Nest has them.
 */
export function hookFastify(
  fastify: FastifyLike,
  box: Deedbox,
  options: Pick<AdapterOptions<never>, 'user'>,
): void {
  const { lifecycle } = internalsOf(box)
  if (fastify.hasDecorator?.('deedbox') === false) fastify.decorate?.('deedbox', box)
  fastify.addHook('onRequest', (request, reply, done) => {
    const scope = lifecycle.begin(request.raw, reply.raw)
    const template = request.routeOptions?.url
    if (template !== undefined && request.is404 !== true) scope.matched(template)
    identifyUser(scope, request as never, options)
    runInScope(scope, done)
  })
}
