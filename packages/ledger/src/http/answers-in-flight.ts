import type { FastifyInstance } from 'fastify'
import { LedgerError } from '../errors.ts'

/** Smaller answers are not counted: a connection costs as much. */
const countedBytes = 16 * 1024

/**
 * Caps the bytes of answers that wait for their readers, so that nobody fills the memory by asking and not reading.
 * Beyond the cap: 503 with `Retry-After`. Only of calls that store nothing: what was stored has to be acknowledged,
 * and those are capped by their bodies.
 */
export function capAnswersInFlight(app: FastifyInstance, maxBytes: number): void {
  let inFlight = 0
  app.addHook('onSend', async (request, reply, payload) => {
    const bytes = Buffer.isBuffer(payload) || typeof payload === 'string' ? Buffer.byteLength(payload) : 0
    if (bytes < countedBytes || request.method !== 'GET') return payload
    if (inFlight + bytes > maxBytes) {
      throw new LedgerError('overloaded', 'Too many answers wait for their readers. Try again in a moment.')
    }
    inFlight += bytes
    reply.raw.once('close', () => {
      inFlight -= bytes
    })
    return payload
  })
}
