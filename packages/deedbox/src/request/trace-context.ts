/** What a W3C `traceparent` header says about the caller's span. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** The caller's span, 16 lower-case hex digits. */
  readonly parentId: string
  readonly sampled: boolean
  /** This request's own span, once the trace was passed on under it; `null` before. */
  readonly spanId: string | null
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * Reads a `traceparent` header (W3C Trace Context). Version ff, all-zero ids, and a version 00 with more than
 * its four fields are invalid and give `null`; a later version is read by the fields that version 00 defines.
 */
export function readTraceparent(header: string | undefined): TraceContext | null {
  if (header === undefined) return null
  const found = form.exec(header)
  if (found === null) return null
  const [, version, traceId = '', parentId = '', flags = '', rest] = found
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1, spanId: null }
}
