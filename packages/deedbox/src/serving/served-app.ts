import {
  createServer,
  type IncomingMessage,
  type Server as PlainServer,
  type ServerResponse,
} from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as SecureServer } from 'node:https'
import { createServer as createSocketServer, type Server, type Server as SocketServer } from 'node:net'
import { ConfigurationError } from '../safety/index.ts'
import { takeNestSignals } from './nest-signals.ts'

/** A server of `node:http`, `node:https` or `node:http2`. */
export type WebServer = PlainServer | SecureServer | Http2Server | Http2SecureServer

/** What answers requests of `node:http`; applications of Express and connect are such functions. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => unknown

/** An application that is such a function, and has a type of its own. */
export type HandlerApp = (request: never, response: never, next: never) => unknown

/** An application of Koa. */
export interface KoaApp {
  callback(): RequestHandler
}

/** An application of Nest. */
export interface NestLikeApp {
  getHttpServer(): unknown
  listen(port: number, host: string): Promise<unknown>
  close(signal?: string): Promise<unknown>
}

/** An application of Fastify. */
export interface FastifyLikeApp {
  readonly server: object
  listen(where: { port: number; host: string }): Promise<unknown>
  close(): unknown
}

/** What `listen()` takes. An application on `fetch`, such as Hono's, is none: it needs a server, which the error names. */
export type ListenApp =
  | RequestHandler
  | HandlerApp
  | WebServer
  | SocketServer
  | KoaApp
  | NestLikeApp
  | FastifyLikeApp

/** An application as a server that can be started. */
export interface ServedApp {
  readonly server: Server
  listen(port: number, host: string | undefined): Promise<unknown>
  /** Has the framework not end by itself when the process is told to; `close` does it. */
  takeSignals(): void
  /** What the framework does when it ends; to be called after the last request. */
  close(signal: NodeJS.Signals | undefined): unknown
}

/**
 * Tells applications by the members that they have.
 * @throws ConfigurationError for what cannot listen
 */
export function servedApp(app: ListenApp): ServedApp {
  if (has(app, 'getHttpServer', 'listen', 'close')) {
    const nest = app as NestLikeApp
    let giveBack = (): void => undefined
    return {
      server: idle(nest.getHttpServer() as Server),
      listen: async (port, host) => nest.listen(port, host ?? (await everywhere())),
      takeSignals() {
        giveBack = takeNestSignals(nest)
      },
      async close(signal) {
        await nest.close(signal)
        giveBack()
      },
    }
  }
  if (has(app, 'inject', 'listen', 'close') && isServer(Reflect.get(app, 'server'))) {
    const fastify = app as FastifyLikeApp
    return {
      server: idle(fastify.server as Server),
      listen: async (port, host) => fastify.listen({ port, host: host ?? (await everywhere()) }),
      takeSignals: () => undefined,
      close: () => fastify.close(),
    }
  }
  const server = serverOf(app)
  return {
    server: idle(server),
    listen: (port, host) =>
      new Promise<void>((done, failed) => {
        server.once('error', failed)
        server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
          server.off('error', failed)
          done()
        })
      }),
    takeSignals: () => undefined,
    close: () => undefined,
  }
}

function serverOf(app: ListenApp): Server {
  if (isServer(app)) return app
  if (has(app, 'callback')) return createServer((app as KoaApp).callback())
  if (has(app, 'fetch')) {
    const problem =
      'this application answers fetch requests and cannot listen by itself. Hand over its server: ' +
      "listen(createAdaptorServer(app)), with createAdaptorServer of '@hono/node-server'."
    throw new ConfigurationError('listen()', problem)
  }
  if (typeof app === 'function') return createServer(app as RequestHandler)
  const problem =
    'takes an application of Express, Koa, Fastify or Nest, a request handler, or a server of node:http.'
  throw new ConfigurationError('listen()', problem)
}

function isServer(value: unknown): value is Server {
  return has(value, 'listen', 'address', 'close', 'on')
}

function has(value: unknown, ...members: string[]): boolean {
  return members.every(member => typeof Object(value)[member] === 'function')
}

function idle(server: Server): Server {
  if (!server.listening) return server
  throw new ConfigurationError('listen()', 'this server listens already.')
}

/**
 * All interfaces, for frameworks that would take loopback alone, in the way of Node: both families if the platform has
 * IPv6.
 */
function everywhere(): Promise<string> {
  return new Promise(resolve => {
    const probe = createSocketServer()
    probe.once('error', () => resolve('0.0.0.0'))
    probe.listen(0, '::', () => probe.close(() => resolve('::')))
  })
}
