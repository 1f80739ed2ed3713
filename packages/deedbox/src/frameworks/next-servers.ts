import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpServer } from './attach-server.ts'

/** What Node publishes right before a server emits `request`. */
interface RequestStart {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly server: HttpServer
}

const requestStart = 'http.server.request.start'

/** What is done at servers. */
export interface ServerWatcher {
  /** The one server that matters. Default: all HTTP servers of the process. */
  readonly server?: HttpServer | undefined
  /** Called once for each server, before its first request is handled. Returns how to undo it. */
  attach(server: HttpServer): () => void
  /** Told each request before its server is. */
  started?(request: IncomingMessage, response: ServerResponse): void
}

/**
 * Attaches to HTTP servers that nobody hands out: each is found by its first request.
 * @returns how to undo it
 */
export function watchServers(watcher: ServerWatcher): () => void {
  const attached = new Map<HttpServer, () => void>()
  const attach = (server: HttpServer): void => void attached.set(server, watcher.attach(server))
  if (watcher.server !== undefined) attach(watcher.server)
  const starts = (message: unknown): void => {
    const { request, response, server } = message as RequestStart
    if (!attached.has(server)) {
      if (watcher.server !== undefined) return
      attach(server)
    }
    watcher.started?.(request, response)
  }
  subscribe(requestStart, starts)
  return () => {
    unsubscribe(requestStart, starts)
    for (const detach of attached.values()) detach()
  }
}
