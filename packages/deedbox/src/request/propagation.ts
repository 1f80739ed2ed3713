import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { currentScope } from './context.ts'
import type { RequestScope } from './scope.ts'
import { readTraceparent } from './trace-context.ts'

/**
 * Which outgoing requests carry the id and the trace of the request that they are made for: none (`false`), all
 * (`true`), or those to the listed origins (`https://billing.internal`), patterns of which are tested against the
 * origin.
 */
export type Propagation = boolean | readonly (string | RegExp)[]

/** What one instance passes on. */
export interface PropagationSettings {
  /** What the instance's scopes carry as their box. */
  readonly box: object
  readonly isWanted: (origin: string) => boolean
  /** The header that carries request ids. */
  readonly idHeader: string
}

/**
 * Builds the test whether requests to an origin carry the headers.
 * @throws TypeError for a text that is no origin
 */
export function propagationTest(propagation: Propagation): (origin: string) => boolean {
  if (typeof propagation === 'boolean') return () => propagation
  if (!Array.isArray(propagation)) throw new TypeError('this is true, false, or a list of origins.')
  const origins = new Set<string>()
  for (const entry of propagation) {
    if (entry instanceof RegExp) continue
    if (!URL.canParse(entry) || new URL(entry).origin === 'null' || entry.includes('*')) {
      throw new TypeError(`"${entry}" is no origin. Write it like https://billing.internal:8443.`)
    }
    origins.add(new URL(entry).origin)
  }
  const patterns = propagation.filter(entry => entry instanceof RegExp)
  return origin => origins.has(origin) || patterns.some(pattern => origin.search(pattern) >= 0)
}

/** A request of undici, which also is what the built-in `fetch` makes. */
interface UndiciRequest {
  readonly origin?: unknown
  readonly headers?: unknown
  addHeader(name: string, value: string): unknown
}

/** Copies of this package share one subscription: two would set each header twice. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.propagation.1') as never

interface Shared {
  [key]?: Set<PropagationSettings>
}

const shared = globalThis as Shared

/** Has an instance's requests pass on their id and their trace. Returns how to undo it. */
export function registerPropagation(settings: PropagationSettings): () => void {
  shared[key] ??= subscribeOnce()
  const instances = shared[key]
  instances.add(settings)
  return () => instances.delete(settings)
}

function subscribeOnce(): Set<PropagationSettings> {
  const instances = new Set<PropagationSettings>()
  subscribe('undici:request:create', message => {
    const { request } = message as { readonly request: UndiciRequest }
    const given = Array.isArray(request.headers)
      ? request.headers.map(header => String(header).toLowerCase())
      : []
    passOn(
      instances,
      originOf(String(request.origin)),
      name => given.includes(name),
      (name, value) => request.addHeader(name, value),
    )
  })
  subscribe('http.client.request.created', message => {
    const { request } = message as { readonly request: ClientRequest }
    if (request.headersSent) return
    passOn(
      instances,
      nodeOrigin(request),
      name => request.hasHeader(name),
      (name, value) => request.setHeader(name, value),
    )
  })
  return instances
}

function passOn(
  instances: ReadonlySet<PropagationSettings>,
  origin: string,
  isGiven: (name: string) => boolean,
  set: (name: string, value: string) => unknown,
): void {
  for (let scope = currentScope(); scope !== undefined; scope = scope.outer) {
    const box = scope.box
    const settings = [...instances].find(instance => instance.box === box)
    if (settings === undefined || !settings.isWanted(origin)) continue
    const give = (name: string, value: string): void => {
      try {
        if (!isGiven(name.toLowerCase())) set(name, value)
      } catch {
        // The request has begun already; it goes without the header.
      }
    }
    give(settings.idHeader, scope.requestId)
    if (!isGiven('traceparent')) passTrace(scope, give)
    return
  }
}

/** The trace as it goes on: the caller's, with this request as the parent. (W3C Trace Context §3.4) */
function passTrace(scope: RequestScope, give: (name: string, value: string) => void): void {
  const { traceparent, tracestate } = scope.traceHeaders
  const trace = readTraceparent(traceparent)
  if (trace === null) return
  give('traceparent', `00-${trace.traceId}-${scope.takeSpanId()}-${trace.sampled ? '01' : '00'}`)
  if (tracestate !== undefined) give('tracestate', tracestate)
}

/**
 * Where a request of `node:http` goes. Its port is known by the `Host` header only, which a service may set to any
 * text, its own client's for instance: a header that names another host is not believed.
 */
function nodeOrigin(request: ClientRequest): string {
  const target = originOf(`${request.protocol}//${bracketed(request.host)}`)
  const told = originOf(`${request.protocol}//${request.getHeader('host') ?? ''}`)
  return hostOf(told) === hostOf(target) ? told : target
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}
