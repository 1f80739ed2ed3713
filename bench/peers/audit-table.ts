import { randomUUID } from 'node:crypto'
import { type FastifyInstance, fastify } from 'fastify'

/** One row of the audit table that a team makes for itself. */
export interface AuditRow {
  id: string
  idempotencyKey: string
  type: string
  eventName: string
  service: string
  requestId: string | null
  actorId: string | null
  /** JSON as text. */
  meta: string
  payload: string
}

interface AuditBody {
  payload: string
  meta: {
    type: string
    event_name: string
    service: string
    request_id?: string
    actor?: { id: string }
  }
}

const schema = {
  type: 'object',
  required: ['payload', 'meta'],
  properties: {
    payload: { type: 'string' },
    meta: {
      type: 'object',
      required: ['type', 'event_name', 'service'],
      properties: {
        type: { type: 'string' },
        event_name: { type: 'string' },
        service: { type: 'string' },
        request_id: { type: 'string' },
        actor: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      },
    },
  },
}

/**
 * The usual home-made audit service: Fastify, a validated body, one INSERT for each event, 202 when it is stored.
 * @param insert stores one row; it may return the promise of that
 */
export function auditTableServer(insert: (row: AuditRow) => unknown): FastifyInstance {
  const app = fastify({ logger: false })
  app.post<{ Body: AuditBody }>('/v1/events', { schema: { body: schema } }, async (request, reply) => {
    const { payload, meta } = request.body
    const id = randomUUID()
    await insert({
      id,
      idempotencyKey: String(request.headers['idempotency-key']),
      type: meta.type,
      eventName: meta.event_name,
      service: meta.service,
      requestId: meta.request_id ?? null,
      actorId: meta.actor?.id ?? null,
      meta: JSON.stringify(meta),
      payload,
    })
    return reply.code(202).send({ ok: true, id })
  })
  return app
}
