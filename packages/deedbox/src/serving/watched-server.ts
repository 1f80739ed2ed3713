import { once } from 'node:events'
import { type IncomingMessage, Server as PlainServer, type ServerResponse } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { Server as SecureServer } from 'node:https'
import { Server, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** A server whose requests are counted, so that it can end without breaking one off. */
export interface WatchedServer {
  /** From now on each answer asks its client for another connection, which a balancer makes elsewhere. */
  sendAway(): void
  /**
   * Takes no more connections; resolves once the last request is done, or is broken off since the time is over, to the
   * number of those that were broken off.
   */
  end(timeout: number, hurry: AbortSignal): Promise<number>
}

/** Milliseconds for which a connection without a request is kept: one may be on its way. */
const quiet = 500

/** Watches a server, from before it listens. */
export function watchServer(server: Server): WatchedServer {
  const isPlain = server instanceof PlainServer || server instanceof SecureServer
  const sockets = new Map<string, Socket>()
  const sessions = new Set<ServerHttp2Session>()
  /** How many requests each connection has under way. */
  const busy = new Map<string, number>()
  const answering = new Set<ServerResponse>()
  let isLeaving = false
  let isQuiet = false

  const count = (key: string, ended: { once(event: 'close', listener: () => void): unknown }): void => {
    busy.set(key, (busy.get(key) ?? 0) + 1)
    ended.once('close', () => {
      const left = (busy.get(key) ?? 1) - 1
      if (left > 0) return void busy.set(key, left)
      busy.delete(key)
      // Behind the writing of what was answered.
      if (isQuiet) setImmediate(leave, key)
    })
  }
  const leave = (key: string): void => {
    if (!busy.has(key)) sockets.get(key)?.destroySoon()
  }
  const begun = (request: IncomingMessage, response: ServerResponse): void => {
    count(keyOf(request.socket), response)
    if (request.httpVersionMajor !== 1) return
    answering.add(response)
    response.once('close', () => answering.delete(response))
    if (isLeaving) sayClose(response)
  }

  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket)
    sockets.set(key, socket)
    socket.once('close', () => sockets.delete(key))
  })
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  if (!isPlain) {
    server.on('stream', (stream: ServerHttp2Stream) => {
      if (stream.session?.socket !== undefined) count(keyOf(stream.session.socket), stream)
    })
  }
  // To listen to these changes what a server does by itself, unless somebody does.
  for (const event of ['request', 'checkContinue', 'checkExpectation'])
    if ((event === 'request' && isPlain) || server.listenerCount(event) > 0)
      server.prependListener(event, begun)

  return {
    sendAway() {
      isLeaving = true
      for (const response of answering) sayClose(response)
    },
    async end(timeout, hurry) {
      this.sendAway()
      // That of node:http also closes connections on which a request may be arriving at this moment.
      const closed = new Promise<void>(resolve => Server.prototype.close.call(server, () => resolve()))
      for (const session of sessions) session.close()
      const silence = setTimeout(() => {
        isQuiet = true
        for (const key of sockets.keys()) leave(key)
      }, quiet)
      await within(timeout, closed, hurry)
      clearTimeout(silence)
      const cut = [...busy.values()].reduce((sum, each) => sum + each, 0)
      for (const socket of sockets.values()) socket.destroy()
      // What was broken off has its record as well, which is made when its response closes.
      await Promise.all([...answering].map(response => once(response, 'close')))
      await nextTurn()
      // Ends what node:http does from time to time for a server that listens.
      server.close(() => undefined)
      return cut
    },
  }
}

/** Resolves with the work, once the time is over, or when there is no more time. Never rejects. */
export function within(timeout: number, work: PromiseLike<unknown>, hurry: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const over = (): void => {
      clearTimeout(timer)
      hurry.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, timeout)
    hurry.addEventListener('abort', over)
    work.then(over, over)
    if (hurry.aborted) over()
  })
}

function sayClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close')
}

/** The same for a socket, and for what TLS and HTTP/2 make of it. */
function keyOf({ remoteAddress, remotePort }: { remoteAddress?: string; remotePort?: number }): string {
  return `${remoteAddress} ${remotePort}`
}
