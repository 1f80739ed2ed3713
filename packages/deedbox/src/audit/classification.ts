import type { EventKind } from './ledger-client.ts'

/** How grave an event is, in the ledger contract's words. (IF-19) */
export type Severity = 'high' | 'medium' | 'low'

/**
 * The kind of an event from its status: an exception or a status of 400 and more is an error, 200 to 299 a
 * success, everything else, also no status at all, information. (IF-18)
 */
export function kindOf(status: number | null, hasException: boolean): EventKind {
  if (hasException) return 'error'
  if (status === null) return 'info'
  if (status >= 400) return 'error'
  return status >= 200 && status < 300 ? 'success' : 'info'
}

/** Errors are high, warnings medium, everything else low. (IF-19) */
export function severityOf(kind: EventKind): Severity {
  if (kind === 'error') return 'high'
  return kind === 'warning' ? 'medium' : 'low'
}

/** Statuses after which the same request may succeed. (IF-22) */
const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** Whether a request that failed with this status is worth repeating. (IF-22) */
export function isRetryable(status: number): boolean {
  return retryableStatuses.has(status)
}

/** The sentence that describes a request. (IF-20) */
export function messageOf(request: {
  readonly method: string
  readonly path: string
  readonly kind: EventKind
  readonly status: number
  /** The exception's class name, if there was one. */
  readonly exception: string | undefined
}): string {
  const { method, path, kind, status, exception } = request
  if (exception !== undefined) return `${method} ${path} failed with exception: ${exception}`
  if (kind === 'error') return `${method} ${path} returned error ${status}`
  return kind === 'success' ? `${method} ${path} completed successfully` : `${method} ${path} processed`
}
