import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { AddressSource, ClientAddress } from './client-address.ts'
import { boundScope } from './context.ts'
import type { ExchangeStart } from './describe.ts'
import { Exchange, type ExchangeSettings, type OpenExchanges } from './exchange.ts'
import { type HeaderName, readHeader } from './header-table.ts'
import { chooseRequestId, type InboundIdPolicy, isRequestId } from './ids.ts'
import { malformedRecord, malformedStatus } from './malformed.ts'
import type { RequestScope } from './scope.ts'
import { Upgrade } from './upgrade.ts'

/** What one instance decided about its requests. */
export interface LifecycleSettings extends ExchangeSettings {
  readonly generateId: () => string
  readonly inbound: InboundIdPolicy
  readonly resolveAddress: (source: AddressSource) => ClientAddress
  /** Told once a forwarding header comes while nobody's is believed. (Ruling 8) */
  readonly onIgnoredForwarding: (() => void) | undefined
  readonly isSkipped: (path: string, method: string) => boolean
  /** Whether health endpoints are skipped wherever they are mounted. */
  readonly skipsHealth: boolean
  /** The header that carries request ids. (DF-37) */
  readonly idHeader: HeaderName
  /** Whether a client's id is a secret by its shape, such as a token; then it is no id. */
  readonly isSecretId?: (id: string) => boolean
}

/** Opens exchanges for one instance. Framework adapters need nothing else. */
export interface Lifecycle {
  /**
   * Starts watching an exchange and gives its scope, in which the adapter runs the rest of the service. The same
   * exchange met again, because an adapter is mounted twice, gives the same scope and is watched once.
   */
  begin(request: IncomingMessage, response: ServerResponse): RequestScope
  /** The same for a request that asks for another protocol; its record is made when it is answered. */
  beginUpgrade(request: IncomingMessage, socket: Duplex): RequestScope
  /**
   * Records what could not be read as a request, unless the error says that nothing was asked.
   * @param isAnswered whether Node itself answers, because the service does not
   */
  malformed(error: unknown, socket: Duplex, isAnswered: boolean): void
  /** Whether health endpoints are to be skipped wherever they are mounted. */
  readonly skipsHealth: boolean
  /** How many exchanges are open now, those on skipped paths not counted. */
  readonly inFlight: number
  /** Completes the failed exchanges that are still open, when the process ends. */
  abandonFailed(): void
}

/** Builds the lifecycle of one instance. */
export function createLifecycle(settings: LifecycleSettings): Lifecycle {
  const open: OpenExchanges = { count: 0, failed: new Set() }
  const addressOf = addressReader(settings.resolveAddress)
  let reportIgnored = settings.onIgnoredForwarding

  const startOf = (
    request: IncomingMessage,
    outer: RequestScope | undefined,
    preset: string | undefined,
  ): ExchangeStart => {
    const { headers } = request
    const sent = validId(headers[settings.idHeader.lower])
    const inbound = sent === undefined || settings.isSecretId?.(sent) === true ? undefined : sent
    if (reportIgnored !== undefined && (headers['x-forwarded-for'] ?? headers.forwarded) !== undefined) {
      reportIgnored()
      reportIgnored = undefined
    }
    const url = originalUrl(request)
    const path = pathOf(url)
    return {
      outer,
      requestId: preset ?? chooseRequestId(inbound, settings.inbound, settings.generateId),
      inboundRequestId: inbound ?? null,
      url,
      path,
      client: addressOf(request),
      encrypted: (request.socket as Partial<TLSSocket> | null)?.encrypted === true,
      skipped: settings.isSkipped(path, request.method ?? ''),
    }
  }

  return {
    begin(request, response) {
      const outer = boundScope(response)
      const known = outer === undefined ? undefined : findScope(outer, settings.box)
      if (known !== undefined) return known
      const start = startOf(request, outer, validId(readHeader(response, settings.idHeader)))
      return new Exchange(request, response, settings, start, open).scope
    },
    beginUpgrade(request, socket) {
      const outer = boundScope(socket)
      const known = outer === undefined ? undefined : findScope(outer, settings.box)
      if (known !== undefined) return known
      const { scope } = new Upgrade(request, socket, settings, startOf(request, outer, undefined))
      return scope
    },
    malformed(error, socket, isAnswered) {
      const status = malformedStatus(error)
      if (status === undefined) return
      const { remoteAddress, remotePort, encrypted } = socket as Partial<TLSSocket>
      const client = settings.resolveAddress({
        address: remoteAddress,
        port: remotePort,
        forwardedFor: undefined,
      })
      const scheme = encrypted === true ? 'https' : 'http'
      settings.emit(malformedRecord(error, status, settings.generateId(), client, scheme, isAnswered))
    },
    skipsHealth: settings.skipsHealth,
    get inFlight() {
      return open.count
    },
    abandonFailed() {
      for (const exchange of [...open.failed]) exchange.abandon()
    },
  }
}

/** Reads the client's address; a connection's own is resolved once for all requests on it. */
function addressReader(
  resolve: (source: AddressSource) => ClientAddress,
): (request: IncomingMessage) => ClientAddress {
  const resolvedHere: unique symbol = Symbol('deedbox.client') as never
  return request => {
    const socket = request.socket as (typeof request.socket & { [resolvedHere]?: ClientAddress }) | null
    const forwardedFor = request.headers['x-forwarded-for']
    if (forwardedFor === undefined && socket?.[resolvedHere] !== undefined) return socket[resolvedHere]
    const client = resolve({
      address: socket?.remoteAddress,
      port: socket?.remotePort,
      forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
    })
    if (forwardedFor === undefined && socket !== null) socket[resolvedHere] = client
    return client
  }
}

function findScope(innermost: RequestScope, box: object): RequestScope | undefined {
  let scope: RequestScope | undefined = innermost
  while (scope !== undefined && scope.box !== box) scope = scope.outer
  return scope
}

function validId(header: string | number | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && isRequestId(header) ? header : undefined
}

/** The URL as it came: routers rewrite `url` and keep the first one under this name. */
function originalUrl(request: IncomingMessage): string {
  const { originalUrl: original } = request as IncomingMessage & { readonly originalUrl?: unknown }
  return typeof original === 'string' ? original : (request.url ?? '/')
}

/** The path of a request target, which may also be a whole URL (RFC 9112 §3.2.2). */
function pathOf(url: string): string {
  const question = url.indexOf('?')
  const target = question < 0 ? url : url.slice(0, question)
  if (target.startsWith('/')) return target
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(target)
  return authority === null ? target : target.slice(authority[0].length) || '/'
}
