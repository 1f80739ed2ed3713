import type { onRequestHookHandler } from 'fastify'
import { LedgerError } from '../errors.ts'
import { limits } from '../events/index.ts'

/**
 * Caps the bytes of bodies that are held at once. Runs after the key was checked, so that strangers cannot use the
 * budget up, and before the body is read. Beyond the cap: 503 with `Retry-After`.
 */
export function capBytesInFlight(maxBytes: number): onRequestHookHandler {
  let inFlight = 0
  return (request, reply, done) => {
    const bodyLimit = request.routeOptions.bodyLimit ?? limits.singleBodyBytes
    // Without a length it may become as long as the route allows.
    const declared = Number(request.headers['content-length'] ?? bodyLimit)
    const bytes = Math.min(Number.isFinite(declared) ? declared : bodyLimit, bodyLimit)
    if (inFlight + bytes > maxBytes) {
      return done(new LedgerError('overloaded', 'Too much is under way at once. Try again in a moment.'))
    }
    inFlight += bytes
    // Comes once, whether the answer went out, the client left, or its time was up.
    reply.raw.once('close', () => {
      inFlight -= bytes
    })
    done()
  }
}
