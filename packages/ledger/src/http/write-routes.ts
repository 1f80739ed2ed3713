import { readBatch, readEvent, textOfHeader } from 'deedbox/event-rules'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Caller } from '../access/index.ts'
import { type Acknowledgement, type Refusal, refusal } from '../acknowledgement.ts'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import {
  asLedgerError,
  batchItemSchema,
  type EventInput,
  eventSchema,
  limits,
  withLedgerErrors,
} from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import { acknowledgementSchema, batchAnswerSchema, problemSchema } from './answer-schemas.ts'
import { acknowledgementView, resultView } from './event-view.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who writes; set before the body is read, so that a stranger's body costs nothing. */
    caller: Caller
  }
}

/** `POST /v1/events` and `POST /v1/events/batch`. @param onRefused told of each item of a batch that is refused alone */
export function writeRoutes(
  app: FastifyInstance,
  ledger: Ledger,
  admit: onRequestHookHandler,
  onRefused: (reason: LedgerErrorCode) => void,
): void {
  app.decorateRequest('caller')
  const authenticate = async (request: FastifyRequest) => {
    request.caller = ledger.authenticator.authenticate(request.headers.authorization, 'write')
    refuseEncoded(request)
  }
  const onRequest = [authenticate, admit]

  app.post<{ Body: Buffer; Querystring: { receipt?: '0' | '1' } }>(
    '/v1/events',
    {
      onRequest,
      bodyLimit: limits.singleBodyBytes,
      schema: {
        summary: 'Store one event',
        description:
          'The answer comes once the event is durable. Send an Idempotency-Key to be able to repeat safely.',
        tags: ['events'],
        security: [{ apiKey: [] }],
        headers: {
          type: 'object',
          properties: { 'idempotency-key': { type: 'string' }, 'request-id': { type: 'string' } },
        },
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: {
            receipt: {
              type: 'string',
              enum: ['0', '1'],
              description: '1: add the signed proof of inclusion',
            },
          },
        },
        body: eventSchema,
        response: { 202: acknowledgementSchema, default: problemSchema },
      },
    },
    async (request, reply) => {
      const input = withLedgerErrors(() => readEvent(request.body ?? Buffer.alloc(0)) as EventInput)
      const ack = await ledger.append(withHeaders(input, request), request.caller.principal, 'parser')
      const view = acknowledgementView(ack)
      if (request.query.receipt === '1') view.receipt = ledger.receipt(ack.txId)
      return reply.code(202).send(view)
    },
  )

  app.post<{ Body: Buffer }>(
    '/v1/events/batch',
    {
      onRequest,
      bodyLimit: limits.batchBodyBytes,
      schema: {
        summary: 'Store up to 1,000 events',
        description:
          'A JSON array, or one JSON object a line (application/x-ndjson). One result per event, in order; the valid ' +
          'ones are stored in one transaction. A bad line fails alone, a bad array as a whole.',
        tags: ['events'],
        security: [{ apiKey: [] }],
        body: { type: 'array', maxItems: limits.batchItems, items: batchItemSchema },
        consumes: ['application/json', 'application/x-ndjson'],
        response: { 200: batchAnswerSchema, default: problemSchema },
      },
    },
    async (request, reply) => {
      const isLines =
        request.headers['content-type']?.toLowerCase().startsWith('application/x-ndjson') === true
      const results = await appendAll(ledger, readItems(takeBody(request), isLines), request.caller.principal)
      const failed = failureOf(results)
      // The one that is thrown is counted by who answers it.
      for (const result of results) if (!result.ok && result !== failed) onRefused(result.reason)
      if (failed?.reason === 'internal_error')
        throw ledger.failure ?? new LedgerError('internal_error', 'The ledger failed on this batch.')
      if (failed !== undefined) throw new LedgerError(failed.reason, failed.message)
      return reply.send({ ok: true, results: results.map(resultView) })
    },
  )
}

/** The refusal that answers a whole batch: a fault, or storage that failed, so that all of it is to be sent again. */
function failureOf(results: readonly (Acknowledgement | Refusal)[]): Refusal | undefined {
  const refusals = results.filter(result => !result.ok)
  const fault = refusals.find(({ reason }) => reason === 'internal_error')
  if (fault !== undefined || refusals.length < results.length) return fault
  return refusals.find(({ retryable }) => retryable)
}

/** @throws LedgerError `unsupported_content_type` for a body that came packed: what is stored has to be what was sent */
export function refuseEncoded(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return
  throw new LedgerError(
    'unsupported_content_type',
    `Bodies are taken as they are; "${encoding}" is not unpacked.`,
  )
}

/** The body, which the request lets go of: it would be held until the answer. */
function takeBody(request: { body: Buffer | undefined }): Buffer {
  const { body } = request
  request.body = undefined
  return body ?? Buffer.alloc(0)
}

/** One item of a batch: an event, or why it is none. */
type Item = EventInput | Refusal

function appendAll(ledger: Ledger, items: Item[], principal: string): Promise<(Acknowledgement | Refusal)[]> {
  const events = items.filter((item): item is EventInput => !('ok' in item))
  const refused = items.map(item => ('ok' in item ? item : undefined))
  return ledger.appendBatch(events, principal, 'parser').then(answers => {
    let next = 0
    return refused.map(refusal => refusal ?? answers[next++]!)
  })
}

function readItems(body: Buffer, isLines: boolean): Item[] {
  // Whether the members have the right types is checked by prepareEvent, for callers in-process too.
  return withLedgerErrors(() => readBatch(body, isLines)).map(item =>
    item instanceof Error ? refusal(asLedgerError(item)) : (item as EventInput),
  )
}

function withHeaders(input: EventInput, request: FastifyRequest): EventInput {
  const key = textOfHeader(request.headers['idempotency-key'])
  const requestId = textOfHeader(request.headers['request-id'])
  return {
    ...input,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(requestId !== undefined && /^[\x21-\x7e]{1,128}$/.test(requestId) ? { requestId } : {}),
  }
}
