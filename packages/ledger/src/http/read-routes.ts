import { type Part, parseTilePath, parts } from '@deedbox/tlog'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { LedgerError } from '../errors.ts'
import type { JsonSchema } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { type EventQuery, filterParameters } from '../search/index.ts'
import type { TiledLog } from '../tiled-log.ts'
import { problemSchema, storedEventSchema } from './answer-schemas.ts'
import { namedLog } from './named-log.ts'

/** The query parameters of `GET /v1/events`: every filter must hold. */
const searchParameters: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...filterParameters(),
    order: { type: 'string', enum: ['asc', 'desc'] },
    limit: { type: 'integer', minimum: 1, maximum: 500 },
    cursor: { type: 'string', minLength: 1, maxLength: 16 },
    as_of: { type: 'integer', minimum: 0, description: 'Only events below this tree size' },
  },
}

const txIdParameter: JsonSchema = { type: 'object', properties: { tx_id: { type: 'string' } } }

/** Somebody saw event content: reading is itself on record (DESIGN §7.7). */
export interface ContentRead {
  principal: string
  /** The tx_ids whose content was shown, if they are few enough to be named. */
  events?: string[]
  /** The indices `[from, to)` of an export or a count: any of these may have been shown. */
  range?: { from: number; to: number }
  /** The field whose values were counted and shown. */
  field?: string
}

/** Search, one event, its receipt. */
export function eventRoutes(app: FastifyInstance, ledger: Ledger, onRead: (read: ContentRead) => void): void {
  app.get<{ Querystring: EventQuery }>(
    '/v1/events',
    {
      schema: {
        summary: 'Search events',
        description:
          'Newest first unless order=asc. A page may be short and still have a next one: follow next_cursor.',
        tags: ['events'],
        security: [{ apiKey: [] }],
        querystring: searchParameters,
        response: {
          200: {
            type: 'object',
            properties: {
              ok: { type: 'boolean' },
              events: { type: 'array', items: storedEventSchema },
              next_cursor: { type: ['string', 'null'] },
              as_of: { type: 'integer' },
            },
          },
          default: problemSchema,
        },
      },
    },
    async request => {
      const { principal } = ledger.authenticator.authenticate(request.headers.authorization, 'read')
      const page = ledger.search(request.query)
      if (page.events.length > 0) onRead({ principal, events: page.events.map(event => event.tx_id) })
      return { ok: true, events: page.events, next_cursor: page.nextCursor, as_of: page.asOf }
    },
  )

  app.get<{ Params: { tx_id: string } }>(
    '/v1/events/:tx_id',
    {
      schema: {
        summary: 'One event',
        tags: ['events'],
        security: [{ apiKey: [] }],
        params: txIdParameter,
        response: { 200: storedEventSchema, default: problemSchema },
      },
    },
    async request => {
      const { principal } = ledger.authenticator.authenticate(request.headers.authorization, 'read')
      const event = ledger.event(request.params.tx_id)
      onRead({ principal, events: [event.tx_id] })
      return event
    },
  )

  app.get<{ Params: { tx_id: string }; Querystring: { disclose?: string } }>(
    '/v1/events/:tx_id/receipt',
    {
      schema: {
        summary: 'The signed proof that an event is in the ledger',
        tags: ['proofs'],
        security: [{ apiKey: [] }],
        params: txIdParameter,
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            disclose: {
              type: 'string',
              description: 'Parts to show in the clear, comma-separated; needs read as well',
            },
          },
        },
        produces: ['text/plain'],
        response: { 200: { type: 'string', description: 'A .tlog-proof file' }, default: problemSchema },
      },
    },
    async (request, reply) => {
      const disclose = partsNamed(request.query.disclose)
      const scope = disclose.length > 0 ? 'read' : 'verify'
      const { principal } = ledger.authenticator.authenticate(request.headers.authorization, scope)
      const receipt = ledger.receipt(request.params.tx_id, disclose)
      if (disclose.length > 0) onRead({ principal, events: [request.params.tx_id] })
      return reply
        .type('text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename="${request.params.tx_id}.tlog-proof"`)
        .send(receipt)
    },
  )
}

function partsNamed(list: string | undefined): Part[] {
  return (list ?? '')
    .split(',')
    .filter(name => name !== '')
    .map(name => {
      const part = parts.find(part => part === name)
      if (part !== undefined) return part
      throw new LedgerError(
        'invalid_query',
        `"${name}" is no part of an event; the parts are ${parts.join(', ')}.`,
      )
    })
}

/** The log for verifiers, byte for byte as C2SP tlog-tiles and tlog-checkpoint have it. */
export function logRoutes(app: FastifyInstance, ledger: Ledger, isPublic: boolean): void {
  const open = (request: { params: { name: string }; headers: { authorization?: string } }): TiledLog =>
    namedLog(ledger, request, isPublic ? undefined : 'verify')
  const schema = (summary: string) => ({
    summary,
    tags: ['log'],
    security: isPublic ? [] : [{ apiKey: [] }],
    response: { 200: { type: 'string' }, default: problemSchema },
  })

  app.get<{ Params: { name: string } }>(
    '/ledgers/:name/vkey',
    { schema: schema('The verifier keys, oldest first, one a line') },
    async (request, reply) => {
      const log = open(request)
      return reply.type('text/plain; charset=utf-8').send(`${log.about.verifierKeys.join('\n')}\n`)
    },
  )

  app.get<{ Params: { name: string } }>(
    '/ledgers/:name/checkpoint',
    { schema: schema('The newest public checkpoint, a signed note') },
    async (request, reply) => {
      const log = open(request)
      return reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(log.checkpoint())
    },
  )

  app.get<{ Params: { name: string; '*': string } }>(
    '/ledgers/:name/tile/*',
    { schema: schema('A hash tile or an entry bundle, full or partial') },
    async (request, reply) => {
      return sendTile(reply, open(request), `tile/${request.params['*']}`, isPublic)
    },
  )
}

function sendTile(reply: FastifyReply, log: TiledLog, path: string, isPublic: boolean): FastifyReply {
  let tile: ReturnType<typeof parseTilePath>
  try {
    tile = parseTilePath(path)
  } catch {
    throw new LedgerError('unknown_tile', 'This is not the path of a tile as C2SP tlog-tiles writes it.')
  }
  const bytes =
    tile.kind === 'hashes' ? log.tile(tile.level, tile.n, tile.width) : log.entries(tile.n, tile.width)
  // Only on success: an error that lives in caches for a year would hide a tile that appears a second later (P30).
  return reply
    .type('application/octet-stream')
    .header('cache-control', `${isPublic ? 'public' : 'private'}, max-age=31536000, immutable`)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}
