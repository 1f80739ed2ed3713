import type { FastifyInstance } from 'fastify'
import { LedgerError } from '../errors.ts'

/** The move that brought a ledger. */
export interface FinishedMove {
  /** What its client is told. */
  status: object
  /** Whether this is the token of that move. */
  opensTo(token: string): boolean
}

/** Says how the move ended that brought this ledger: its client may have been cut off before it heard so. */
export function moveRoute(app: FastifyInstance, moved: FinishedMove): void {
  app.get('/v1/move', { schema: { hide: true } }, async (request, reply) => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined || !moved.opensTo(token)) {
      throw new LedgerError(
        'invalid_move_token',
        'This is not the token of the move that brought the ledger.',
      )
    }
    return reply.header('cache-control', 'no-store').send({ ok: true, ...moved.status })
  })
}
