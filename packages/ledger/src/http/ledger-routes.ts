import { maxEntryLength } from '@deedbox/tlog'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { LedgerError } from '../errors.ts'
import { type JsonSchema, parseStrictJson } from '../events/index.ts'
import type { LedgerRequest, LedgerSummary } from '../further-ledgers.ts'
import type { Ledger } from '../ledger.ts'
import { problemSchema } from './answer-schemas.ts'
import { namedLog } from './named-log.ts'
import { refuseEncoded } from './write-routes.ts'

const summarySchema: JsonSchema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    kind: { type: 'string', enum: ['events', 'raw'] },
    origin: { type: 'string', description: 'First line of every checkpoint' },
    verifier_keys: { type: 'array', items: { type: 'string' }, description: 'Oldest first' },
    size: { type: 'integer', minimum: 0 },
    created_at: { type: 'string', format: 'date-time' },
  },
}

const requestSchema: JsonSchema = {
  type: 'object',
  required: ['name', 'kind'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', description: 'a–z, 0–9 and hyphens, at most 63 characters' },
    kind: { type: 'string', enum: ['raw'] },
    origin: { type: 'string', description: 'Fixed for life; default <32 hex>.deedbox.invalid/<name>' },
  },
}

/** `GET` and `POST /v1/ledgers`, with keys of the first ledger that have the scope admin. */
export function ledgerRoutes(app: FastifyInstance, ledger: Ledger, admit: onRequestHookHandler): void {
  const authenticate = async (request: FastifyRequest) => {
    request.caller = ledger.authenticator.authenticate(request.headers.authorization, 'admin')
    refuseEncoded(request)
  }

  app.get(
    '/v1/ledgers',
    {
      onRequest: authenticate,
      schema: {
        summary: 'The ledgers of the file',
        tags: ['administration'],
        security: [{ apiKey: [] }],
        response: {
          200: { type: 'object', properties: { ledgers: { type: 'array', items: summarySchema } } },
          default: problemSchema,
        },
      },
    },
    async () => ({ ok: true, ledgers: ledger.ledgers().map(summaryView) }),
  )

  app.post<{ Body: Buffer }>(
    '/v1/ledgers',
    {
      onRequest: [authenticate, admit],
      schema: {
        summary: 'Create a raw ledger',
        description: 'Stored together with the leaf of the first ledger that records it.',
        tags: ['administration'],
        security: [{ apiKey: [] }],
        body: requestSchema,
        response: { 201: summarySchema, default: problemSchema },
      },
    },
    async (request, reply) => {
      const wanted = ledgerRequest(parseStrictJson(request.body ?? Buffer.alloc(0), 'The body'))
      const created = await ledger.createLedger(wanted, request.caller.principal)
      return reply.code(201).send({ ok: true, ...summaryView(created) })
    },
  )
}

/** `POST /ledgers/{name}/add` of raw ledgers: raw bytes in, decimal index out, no newline. */
export function addRoute(app: FastifyInstance, ledger: Ledger, admit: onRequestHookHandler): void {
  const authenticate = async (request: FastifyRequest) => {
    namedLog(ledger, request, 'write')
    refuseEncoded(request)
  }
  app.register(async routes => {
    // The bytes are the entry, whatever they are called. On this route only: every other body is JSON.
    routes.removeAllContentTypeParsers()
    routes.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    routes.post<{ Params: { name: string }; Body: Buffer }>(
      '/ledgers/:name/add',
      {
        onRequest: [authenticate, admit],
        bodyLimit: maxEntryLength,
        schema: {
          summary: 'Append the body, up to 65,535 bytes, to a raw ledger',
          description:
            'The answer is the index of the entry and comes once it is durable. Sent twice, it is stored twice.',
          tags: ['log'],
          security: [{ apiKey: [] }],
          consumes: ['application/octet-stream'],
          response: { 200: { type: 'string', description: 'Decimal index' }, default: problemSchema },
        },
      },
      async (request, reply) => {
        const raw = await ledger.rawLedger(request.params.name)
        const index = await raw.add(request.body ?? new Uint8Array())
        return reply.type('text/plain; charset=utf-8').serializer(String).send(index)
      },
    )
  })
}

function ledgerRequest(value: unknown): LedgerRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LedgerError('invalid_ledger', 'The body is a JSON object with the members name and kind.')
  }
  const { name, kind, origin, ...unknown } = value as Record<string, unknown>
  const [other] = Object.keys(unknown)
  if (other !== undefined) {
    throw new LedgerError(
      'invalid_ledger',
      `A ledger is described by name, kind and origin; "${other}" is none of them.`,
    )
  }
  if (typeof name !== 'string' || (kind !== 'raw' && kind !== 'events')) {
    throw new LedgerError('invalid_ledger', 'name is a string, and kind is "raw".')
  }
  if (origin !== undefined && typeof origin !== 'string') {
    throw new LedgerError('invalid_ledger', 'origin is a string; leave it out to get one.')
  }
  return { name, kind, ...(origin === undefined ? {} : { origin }) }
}

function summaryView({ verifierKeys, createdAt, ...same }: LedgerSummary): Record<string, unknown> {
  return { ...same, verifier_keys: verifierKeys, created_at: createdAt }
}
