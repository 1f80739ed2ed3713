import { createHash } from 'node:crypto'
import {
  type EventKind,
  kindOf,
  messageOf,
  clampPayload as ourClamp,
  payloadLimit,
  requestSheds,
  type Severity,
  severityOf,
} from '../../audit/index.ts'
import { errorName } from '../../safety/index.ts'

/**
 * The JSON of a payload in at most 12,000 bytes of UTF-8. What can be looked up elsewhere goes first, a body's text,
 * an exception's, the query; `truncated` names what went, and `id`, `kind`, `message` and `timestamp` always stay.
 * The original's limit, without its holes. (IF-36)
 * @param limit bytes, at least 1,000
 * @throws TypeError for what JSON cannot hold
 */
export function clampPayload(
  payload: Readonly<Record<string, unknown>>,
  limit: number = payloadLimit,
): string {
  return ourClamp(JSON.stringify(payload), () => requestSheds, limit)
}

/** The SHA-256 of a body, in hex. A text counts as its UTF-8. (IF-22) */
export function hashBody(body: Uint8Array | string): string {
  return createHash('sha256').update(body).digest('hex')
}

/** The kind of an event, from the status of its answer and what was thrown, if anything was. (IF-18) */
export function severityFrom(statusCode: number | null | undefined, thrown?: unknown): EventKind {
  return kindOf(statusCode ?? null, isThrown(thrown))
}

/** The severity of a kind: errors are high, warnings medium, the rest low. (IF-19) */
export function getSeverityLevel(kind: EventKind): Severity {
  return severityOf(kind)
}

/** The sentence that describes a request. (IF-20) */
export function buildMessage(request: {
  readonly method: string
  readonly path: string
  readonly statusCode: number
  readonly kind: EventKind
  readonly thrown?: unknown
}): string {
  const { method, path, statusCode: status, kind, thrown } = request
  return messageOf({
    method,
    path,
    status,
    kind,
    exception: isThrown(thrown) ? errorName(thrown) : undefined,
  })
}

function isThrown(thrown: unknown): boolean {
  return thrown !== undefined && thrown !== null
}
