import type { IncomingMessage } from 'node:http'

/** Where Next keeps what it knows of a request; under this name in 15 and 16. */
const requestMeta = Symbol.for('NextInternalRequestMeta')

/** Pages that are no route of anybody's: Next shows them when there is none. */
const errorPages = new Set(['/_error', '/_not-found', '/_global-error', '/404', '/500'])

/**
 * The route that Next matched, such as `/orders/[id]`, once it has; nothing for files and for what nobody serves.
 * Next publishes it to OpenTelemetry alone, whose one provider belongs to the service; so we look where it keeps it.
 */
export function matchedRoute(request: IncomingMessage): string | undefined {
  const match = memberOf(Reflect.get(request, requestMeta), 'match')
  const route = memberOf(memberOf(match, 'definition'), 'pathname')
  return typeof route === 'string' && !errorPages.has(route) ? route : undefined
}

/**
 * Has errors of a proxy (or middleware) that runs in Node reported as well. Next reports them to what stands under
 * this name, and puts something there in the Edge runtime only (15 and 16).
 */
export function takeProxyErrors(onRequestError: (error: unknown) => void): void {
  const shared = globalThis as { _ENTRIES?: { middleware_instrumentation?: unknown } }
  shared._ENTRIES ??= {}
  shared._ENTRIES.middleware_instrumentation ??= { onRequestError }
}

/** The error behind a failure of which Next reports that it could not send the body of a response any further. */
export function behindPipe(error: unknown): unknown {
  return memberOf(error, 'message') === 'failed to pipe response'
    ? (memberOf(error, 'cause') ?? error)
    : error
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
