import { createServer } from 'node:http'
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { Ajv } from 'ajv'
import type { Deedbox } from 'deedbox'
import { observe } from 'deedbox/http'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { limits } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { capAnswersInFlight } from './answers-in-flight.ts'
import { capBytesInFlight } from './bytes-in-flight.ts'
import { closeInTime } from './close-in-time.ts'
import { dockerflowRoutes, type VersionObject } from './dockerflow-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { ledgerMetrics } from './ledger-metrics.ts'
import { addRoute, ledgerRoutes } from './ledger-routes.ts'
import { type MetricsAccess, metricsRoute } from './metrics-route.ts'
import { type FinishedMove, moveRoute } from './move-route.ts'
import { OpenStreams, type StreamSettings } from './open-streams.ts'
import { problemOf } from './problem.ts'
import { producerRoutes } from './producer-routes.ts'
import { answerClientError } from './raw-answers.ts'
import { type ContentRead, eventRoutes, logRoutes } from './read-routes.ts'
import { statsRoutes } from './stats-routes.ts'
import { streamRoutes } from './stream-routes.ts'
import { writeRoutes } from './write-routes.ts'

/** How the server is made. */
export interface ServerOptions {
  /** Observes the server's own requests, and runs its checks. It must send no events to this ledger. */
  box: Deedbox
  version: VersionObject
  /** Where the database is. */
  folder: string
  /** Who may fetch `/metrics`; default who has a key with `verify`. */
  metrics?: MetricsAccess
  /** Whether verifier key, checkpoints and tiles are readable without a key; default false. */
  publicLog?: boolean
  /** How the move ended that brought the ledger, for who has the token of that move. */
  moved?: FinishedMove
  /** Told about what clients only see as `internal_error`. */
  onFault?: (error: unknown) => void
  /** Told whenever event content was shown to somebody. */
  onRead?: (read: ContentRead) => void
  /** Bytes of bodies under way at once before new ones are answered 503; default 64 MiB. */
  maxBytesInFlight?: number
  /** Bytes of answers that wait for their readers before new ones are answered 503; default 64 MiB. */
  maxAnswerBytes?: number
  /** Milliseconds in which a connection under way has to move; default 60,000. */
  stallTimeout?: number
  /** Connections beyond this many are closed at once; default 16,384. */
  maxConnections?: number
  /** Milliseconds for a whole request to arrive; default 30,000. */
  requestTimeout?: number
  /** How many live tails and exports there may be at once, and how they are watched. */
  streams?: Partial<StreamSettings>
}

const second = 1_000

/** Makes the HTTP server of a ledger; it does not listen yet. Its routes hold no logic of their own. */
export async function createLedgerServer(ledger: Ledger, options: ServerOptions): Promise<FastifyInstance> {
  const { box, folder, version } = options
  const requestTimeout = options.requestTimeout ?? 30 * second
  const app = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    bodyLimit: limits.singleBodyBytes,
    exposeHeadRoutes: true,
    clientErrorHandler: (error, socket) => answerClientError(error, socket),
    frameworkErrors: (error, _request, reply) => {
      const { status, body } = problemOf(error)
      void (reply as FastifyReply).code(status).send(body)
    },
    serverFactory: handler => {
      const server = createServer(
        {
          maxHeaderSize: 16 * 1024,
          requestTimeout,
          headersTimeout: Math.min(10 * second, requestTimeout),
          // Slow clients are looked for this often, so one can hold a connection for its timeout plus this.
          connectionsCheckingInterval: Math.min(5 * second, requestTimeout),
          keepAliveTimeout: 65 * second,
          // Answered like everybody else, instead of with a bare 400.
          requireHostHeader: false,
        },
        observe(box)(handler),
      )
      // Who neither sends nor reads for so long is cut off, whatever waits for him.
      server.timeout = options.stallTimeout ?? 60 * second
      server.maxConnections = options.maxConnections ?? 16_384
      // Node answers expectations other than 100-continue with a bare 417; RFC 9110 §10.1.1 lets us not mind them.
      server.on('checkExpectation', (request, response) => server.emit('request', request, response))
      return server
    },
  })
  await app.register(swagger, { openapi: openApiBase(options.version) })
  takeBodiesAsBytes(app)
  validateQueriesOnly(app)
  refuseUnknownRoutes(app)
  closeInTime(app)
  capAnswersInFlight(app, options.maxAnswerBytes ?? 64 * 1024 * 1024)
  nameRoutes(app, box)
  const streams = new OpenStreams(app, options.streams ?? {}, options.onFault ?? (() => undefined))
  const metrics = ledgerMetrics(ledger, { box, version }, streams)
  app.addHook('onClose', async () => metrics?.close())
  const onRefused = (reason: LedgerErrorCode): void => metrics?.refused(reason)
  answerErrors(app, options.onFault, onRefused)
  await app.register(async routes => {
    const admit = capBytesInFlight(options.maxBytesInFlight ?? 64 * 1024 * 1024)
    writeRoutes(routes, ledger, admit, onRefused)
    eventRoutes(routes, ledger, options.onRead ?? (() => undefined))
    streamRoutes(routes, ledger, streams, options.onRead ?? (() => undefined))
    statsRoutes(routes, ledger, options.onRead ?? (() => undefined))
    logRoutes(routes, ledger, options.publicLog ?? false)
    keyRoutes(routes, ledger)
    producerRoutes(routes, ledger)
    ledgerRoutes(routes, ledger, admit)
    addRoute(routes, ledger, admit)
    if (options.moved !== undefined) moveRoute(routes, options.moved)
    dockerflowRoutes(routes, ledger, { box, version, folder })
    metricsRoute(routes, ledger, metrics, options.metrics ?? {})
    routes.get('/v1/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  })
  return app
}

/** Bodies are checked as they were sent: only the exact bytes show duplicate names and broken UTF-8. */
function takeBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    ['application/json', 'application/x-ndjson'],
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  )
}

/**
 * Query strings are validated against the schemas of the routes. Body schemas describe the calls in OpenAPI; what
 * they say is enforced by `prepareEvent`, which callers in-process go through as well. Answers are serialised
 * whole, since the schemas name what is documented, not everything that `meta` may hold.
 */
function validateQueriesOnly(app: FastifyInstance): void {
  const ajv = new Ajv({ coerceTypes: 'array', allErrors: false, strict: false })
  app.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'querystring' ? ajv.compile(schema) : () => true,
  )
  app.setSerializerCompiler(() => data => JSON.stringify(data))
}

/** The templates of routes, for records; those below Fastify do not know them. */
function nameRoutes(app: FastifyInstance, box: Deedbox): void {
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (routeOptions.url !== undefined) box.current()?.matched(routeOptions.url)
  })
}

function answerErrors(
  app: FastifyInstance,
  onFault: ((error: unknown) => void) | undefined,
  onRefused: (reason: LedgerErrorCode) => void,
): void {
  const closing = new WeakSet<object>()
  // What came behind a request that was answered with "close" gets no answer any more, so nothing may be done about
  // it (RFC 9112 §9.6): an event would be stored without its sender ever hearing of it.
  app.addHook('preHandler', async (request, reply) => {
    if (closing.has(request.raw.socket)) reply.hijack()
  })
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = problemOf(error)
    onRefused(body.reason)
    if (status >= 500 && ![501, 503].includes(status)) onFault?.(error)
    // The rest of a body that nobody will read: better no connection than one that waits for it.
    if (!request.raw.complete) {
      reply.header('connection', 'close')
      closing.add(request.raw.socket)
    }
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    if (status === 503) reply.header('retry-after', '1')
    return reply
      .code(status)
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(body)
  })
}

/** Unknown paths and methods are refused before the body comes: who has no business here costs nothing. */
function refuseUnknownRoutes(app: FastifyInstance): void {
  const routes: { method: string; pattern: RegExp }[] = []
  app.addHook('onRoute', route => {
    const pattern = new RegExp(`^${route.url.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`)
    for (const method of [route.method].flat()) routes.push({ method, pattern })
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff')
    if (!request.is404) return
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = [
      ...new Set(routes.filter(route => route.pattern.test(path)).map(route => route.method)),
    ].join(', ')
    if (allowed === '') {
      throw new LedgerError('unknown_route', 'There is no such call. GET /v1/openapi.json lists them all.')
    }
    reply.header('allow', allowed)
    throw new LedgerError('method_not_allowed', `This path takes ${allowed} only.`)
  })
}

function openApiBase(version: VersionObject): FastifyDynamicSwaggerOptions['openapi'] {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Deedbox ledger',
      version: version.version,
      description: 'A tamper-evident audit ledger. Every refusal is {"ok": false, "reason", "message"}.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  }
}
