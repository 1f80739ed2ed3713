import { createHash } from 'node:crypto'
import { clampPayload as clamp, payloadLimit, requestSheds } from '../audit/index.ts'

/**
 * A payload as an automatic event carries it: unchanged if its JSON has at most `limit` bytes, else without what can be
 * looked up elsewhere, and with `truncated`, the list of what was cut. (IF-36)
 * @param limit at least 1,000; default 12,000
 */
export function clampPayload(payload: object, limit: number = payloadLimit): Record<string, unknown> {
  return JSON.parse(clamp(JSON.stringify(payload), () => requestSheds, limit)) as Record<string, unknown>
}

/** The hash of a body as an automatic event carries it: hex SHA-256 of the bytes, of a text those of its UTF-8. (IF-25) */
export function hashBody(body: Uint8Array | string): string {
  return createHash('sha256').update(body).digest('hex')
}
