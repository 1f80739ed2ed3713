import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { LedgerError } from '../errors.ts'
import type { ExportQuery } from '../export/index.ts'
import type { Ledger } from '../ledger.ts'
import { type EventFilters, filterParameters } from '../search/index.ts'
import type { StoredEvent } from '../stored-event.ts'
import { problemSchema } from './answer-schemas.ts'
import type { OpenStream, OpenStreams } from './open-streams.ts'
import { problemOf } from './problem.ts'
import type { ContentRead } from './read-routes.ts'

/** The two long answers: events as they come, and everything of a range with its proofs. */
export function streamRoutes(
  app: FastifyInstance,
  ledger: Ledger,
  streams: OpenStreams,
  onRead: (read: ContentRead) => void,
): void {
  tailRoute(app, ledger, streams, onRead)
  exportRoute(app, ledger, streams, onRead)
}

function tailRoute(
  app: FastifyInstance,
  ledger: Ledger,
  streams: OpenStreams,
  onRead: (read: ContentRead) => void,
): void {
  app.get<{ Querystring: EventFilters & { since?: string; after?: number } }>(
    '/v1/events/stream',
    {
      schema: {
        summary: 'Events as they come, as server-sent events',
        description:
          'Each is "id: <index>", "event: event", "data: <the event>". Goes on after the index in Last-Event-ID, ' +
          'else after ?after, else begins at ?since, else with what comes from now on. When the server ends a stream ' +
          'for a reason, "event: problem" says it. A tail without news gets a comment, and the id up to which all was seen.',
        tags: ['events'],
        security: [{ apiKey: [] }],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            ...filterParameters({ until: false }),
            after: { type: 'integer', minimum: -1, description: 'An index; -1: from the first event on' },
          },
        },
        headers: { type: 'object', properties: { 'last-event-id': { type: 'string' } } },
        response: {
          200: {
            description: 'The stream',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          default: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const { authorization } = request.headers
      const caller = () => ledger.authenticator.authenticate(authorization, 'read')
      const { principal } = caller()
      const stop = new AbortController()
      const resumed = lastEventId(request.headers['last-event-id'])
      const query = { ...request.query, ...(resumed === undefined ? {} : { after: resumed }) }
      const pages = ledger.view.follow(query, stop.signal)
      return streams.start(request, reply, {
        kind: 'tails',
        headers: {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // nginx would keep what is not much until it is more.
          'x-accel-buffering': 'no',
        },
        check: caller,
        lastWords: reason => `event: problem\ndata: ${JSON.stringify(problemOf(reason).body)}\n\n`,
        async work(stream) {
          stream.signal.addEventListener('abort', () => stop.abort(), { once: true })
          let seen: number | undefined
          const tail = async () => {
            for await (const { events, next } of pages) {
              if (events.length > 0) onRead({ principal, events: events.map(event => event.tx_id) })
              for (const event of events) await stream.write(eventFrame(event))
              // Without it a client that has seen no event yet could not resume.
              if (seen === undefined) await stream.write(lifeSign(next - 1))
              seen = next - 1
            }
          }
          await withHeartbeat(stream, streams.heartbeat, () => seen, tail)
        },
      })
    },
  )
}

function exportRoute(
  app: FastifyInstance,
  ledger: Ledger,
  streams: OpenStreams,
  onRead: (read: ContentRead) => void,
): void {
  app.get<{ Querystring: ExportQuery }>(
    '/v1/export',
    {
      schema: {
        summary: 'Events with their proofs, as JSON lines',
        description:
          'One line per event, with its salts and its receipt, all for one checkpoint. The last line is the manifest; ' +
          'an export without it is not whole. The headers Deedbox-From and Deedbox-To say which indices are looked at.',
        tags: ['proofs'],
        security: [{ apiKey: [] }],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            ...filterParameters(),
            from: { type: 'integer', minimum: 0, description: 'The first index' },
            to: { type: 'integer', minimum: 0, description: 'The index after the last one' },
          },
        },
        response: {
          200: {
            description: 'The export',
            content: { 'application/x-ndjson': { schema: { type: 'string' } } },
          },
          default: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const { authorization } = request.headers
      const caller = () => ledger.authenticator.authenticate(authorization, 'read')
      const { principal } = caller()
      const made = ledger.view.export(request.query)
      const { from, to } = made
      return streams.start(request, reply, {
        kind: 'exports',
        headers: {
          'content-type': 'application/x-ndjson; charset=utf-8',
          'content-disposition': `attachment; filename="${ledger.about.name}-${from}-${to}.export.jsonl"`,
          'cache-control': 'no-store',
          'deedbox-from': String(from),
          'deedbox-to': String(to),
        },
        check: caller,
        async work(stream) {
          // At its beginning: of an export that breaks off somebody has seen a part.
          if (to > from) onRead({ principal, range: { from, to } })
          for (const bytes of made.pieces()) {
            await stream.write(bytes)
            await nextTurn()
          }
        },
      })
    },
  )
}

function eventFrame(event: StoredEvent): string {
  return `id: ${event.index}\nevent: event\ndata: ${JSON.stringify(event)}\n\n`
}

/** A comment, and the index up to which all was looked at: an id without data moves the client's last event id only. */
function lifeSign(seen: number): string {
  return `: here\nid: ${seen}\n\n`
}

/** A sign of life now and then; never into a connection that is full. */
async function withHeartbeat(
  stream: OpenStream,
  every: number,
  seen: () => number | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const timer = setInterval(() => {
    const id = seen()
    if (id === undefined || !stream.idle || stream.signal.aborted) return
    void stream.write(lifeSign(id)).catch(() => undefined)
  }, every)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
}

function lastEventId(header: string | string[] | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (typeof header === 'string' && /^(-1|0|[1-9]\d{0,15})$/.test(header)) return Number(header)
  throw new LedgerError('invalid_query', 'The header Last-Event-ID takes the id of an event of this stream.')
}
