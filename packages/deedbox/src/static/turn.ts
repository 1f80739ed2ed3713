import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigurationError } from '../safety/index.ts'

/** One request, as a middleware of any framework is handed it. */
export interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The path and query as the client sent them: a framework takes the part off that middleware is mounted at. */
  readonly target: string
  /** Leaves the request to what comes behind. */
  pass(): unknown
  /** Says that the answer is being sent past the framework. */
  take(sent: Promise<void>): unknown
}

/** What Node's server for `fetch` takes for an answer that is under way already. */
const sentAlready = { headers: { 'x-hono-already-sent': 'true' } }

/** @throws ConfigurationError for what a middleware cannot stand in front of */
export function turnOf(first: object, second: object, third: unknown): Turn {
  if (typeof second === 'function') return contextTurn(first, second as () => unknown)
  const raw: unknown = Reflect.get(second, 'raw')
  if (isResponse(raw) && 'hijack' in second) {
    const request = Reflect.get(first, 'raw') as IncomingMessage
    return {
      request,
      response: raw,
      target: targetOf(first, request),
      pass: () => (third as () => void)(),
      take() {
        ;(second.hijack as () => void).call(second)
      },
    }
  }
  const response = second as ServerResponse
  const request = first as IncomingMessage
  return {
    request,
    response,
    target: targetOf(request, request),
    pass() {
      if (typeof third === 'function') return void third()
      response.statusCode = 404
      response.setHeader('Content-Type', 'text/plain; charset=utf-8')
      response.end('Not Found')
    },
    take: () => undefined,
  }
}

/** In Koa and Hono. */
function contextTurn(context: object, next: () => unknown): Turn {
  const { env, req, res } = context as { env?: unknown; req?: IncomingMessage; res?: unknown }
  if (isResponse(res)) {
    const request = req as IncomingMessage
    return {
      request,
      response: res,
      target: targetOf(context, request),
      pass: next,
      take(sent) {
        Object.assign(context, { respond: false })
        return sent
      },
    }
  }
  const { incoming, outgoing } = Object(env) as { incoming?: IncomingMessage; outgoing?: unknown }
  if (incoming === undefined || !isResponse(outgoing)) {
    const problem = 'there is no response of node:http here; Hono has one on the server of @hono/node-server.'
    throw new ConfigurationError('staticFiles()', problem)
  }
  return {
    request: incoming,
    response: outgoing,
    target: targetOf(context, incoming),
    pass: next,
    take: sent => sent.then(() => new Response(null, sentAlready)),
  }
}

/** Express, connect, Koa and Fastify keep it as `originalUrl`. */
function targetOf(holder: object, { url = '' }: IncomingMessage): string {
  const kept: unknown = Reflect.get(holder, 'originalUrl')
  return typeof kept === 'string' ? kept : url
}

function isResponse(value: unknown): value is ServerResponse {
  return typeof Object(value).writeHead === 'function'
}
