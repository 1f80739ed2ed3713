import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type JsonSchema, parseStrictJson } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { announcementSchema, type ProducerFilters, producerStates } from '../producers/index.ts'
import { problemSchema } from './answer-schemas.ts'
import { refuseEncoded } from './write-routes.ts'

const bodyLimit = 16 * 1024

const time: JsonSchema = { type: 'string', format: 'date-time' }
const timeOrNull: JsonSchema = { type: ['string', 'null'], format: 'date-time' }
const textOrNull: JsonSchema = { type: ['string', 'null'] }
const count: JsonSchema = { type: 'integer', minimum: 0 }

const producerSchema: JsonSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    principal: { type: 'string', description: 'The writer that it belongs to' },
    service: textOrNull,
    env: textOrNull,
    host: textOrNull,
    pid: { type: ['integer', 'null'] },
    version: textOrNull,
    state: {
      type: 'string',
      enum: producerStates,
      description: 'silent: it announced no end, and was not heard of for three minutes',
    },
    started_at: { ...timeOrNull, description: 'As it says' },
    first_at: { ...time, description: 'Its first sign of life, an event or an announcement' },
    last_at: time,
    ended_at: timeOrNull,
    high_water: { ...count, description: 'The highest number that it announced or that an event carries' },
    seen_to: { ...count, description: 'The highest number that an event carries' },
    waiting: { ...count, description: 'Numbers after seen_to that it announced as waiting on its side' },
    missing: { ...count, description: 'How many numbers have no event' },
    gaps: {
      type: 'array',
      items: { type: 'object', properties: { from: count, to: count } },
      description: 'Which; from and to included',
    },
    counted_only_to: {
      ...count,
      description: 'Up to this number there were too many gaps to list: they are in missing, and not in gaps',
    },
  },
}

/** `/v1/producers`: what processes say about themselves, and which of their events never came. */
export function producerRoutes(app: FastifyInstance, ledger: Ledger): void {
  app.post<{ Body: Buffer | undefined }>(
    '/v1/producers',
    {
      onRequest: async (request: FastifyRequest) => {
        request.caller = ledger.authenticator.authenticate(request.headers.authorization, 'write')
        refuseEncoded(request)
      },
      bodyLimit,
      schema: {
        summary: 'Announce a producer of events',
        description:
          'At its start, each minute and at its end. A note: it is no entry of the ledger, and proves nothing. ' +
          'A producer belongs to the writer whose key announces it.',
        tags: ['producers'],
        security: [{ apiKey: [] }],
        body: announcementSchema,
        response: {
          200: { type: 'object', properties: { ok: { type: 'boolean', const: true } } },
          default: problemSchema,
        },
      },
    },
    async request => {
      const body = parseStrictJson(request.body ?? Buffer.alloc(0), 'The body')
      await ledger.announce(body as object, request.caller.principal)
      return { ok: true }
    },
  )

  app.get<{ Querystring: ProducerFilters }>(
    '/v1/producers',
    {
      schema: {
        summary: 'Producers of events, with their gaps and silence',
        description:
          'Those heard of first the latest in front. A gap is a number that a producer gave to an event, or says that ' +
          'it gave, and that no event of the ledger carries. The newest 2,000 of each writer are kept.',
        tags: ['producers'],
        security: [{ apiKey: [] }],
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            state: { type: 'string', enum: producerStates },
            service: { type: 'string', minLength: 1, maxLength: 1024 },
            limit: { type: 'integer', minimum: 1, maximum: 200, default: 100 },
            cursor: { type: 'string', maxLength: 2048, description: 'next_cursor of the page before' },
          },
        },
        response: {
          200: {
            type: 'object',
            properties: {
              ok: { type: 'boolean', const: true },
              producers: { type: 'array', items: producerSchema },
              next_cursor: textOrNull,
            },
          },
          default: problemSchema,
        },
      },
    },
    async request => {
      ledger.authenticator.authenticate(request.headers.authorization, 'read')
      const { producers, nextCursor } = ledger.producers(request.query)
      return { ok: true, producers, next_cursor: nextCursor }
    },
  )
}
