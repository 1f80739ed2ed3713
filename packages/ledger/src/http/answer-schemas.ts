import type { JsonSchema } from '../events/index.ts'

/** What the calls answer, for the OpenAPI document. */
const acknowledgementProperties: JsonSchema = {
  ok: { type: 'boolean', const: true },
  tx_id: { type: 'string' },
  payload_hash: { type: 'string', description: 'Hex SHA-256 of the payload as sent' },
  status: { type: 'string', const: 'accepted' },
  duplicate: { type: 'boolean' },
  request_id: { type: 'string' },
  index: { type: 'integer', minimum: 0 },
  amends: {
    type: 'string',
    description: 'The first event under the same idempotency key, if its content differs',
  },
  receipt: { type: 'string', description: 'With ?receipt=1: a .tlog-proof file' },
}

/** Schema of the 202 of `POST /v1/events`. */
export const acknowledgementSchema: JsonSchema = {
  type: 'object',
  required: ['ok', 'tx_id', 'payload_hash', 'status', 'duplicate', 'request_id', 'index'],
  properties: acknowledgementProperties,
}

/** Schema of every answer that is not a success. */
export const problemSchema: JsonSchema = {
  type: 'object',
  required: ['ok', 'reason', 'message'],
  properties: {
    ok: { type: 'boolean', const: false },
    reason: { type: 'string', description: 'Stable code' },
    message: { type: 'string', description: 'What to do' },
  },
}

/** Schema of the 200 of `POST /v1/events/batch`. */
export const batchAnswerSchema: JsonSchema = {
  type: 'object',
  properties: {
    ok: { type: 'boolean', const: true },
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          ...acknowledgementProperties,
          ok: { type: 'boolean' },
          status: { type: 'integer', description: 'The HTTP status that this event would have got alone' },
          reason: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
}

/** Schema of one event as the ledger shows it. */
export const storedEventSchema: JsonSchema = {
  type: 'object',
  properties: {
    index: { type: 'integer' },
    tx_id: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
    kind: { type: 'string', enum: ['event', 'erasure', 'retention', 'admin'] },
    payload: { type: ['string', 'null'] },
    payload_hash: { type: ['string', 'null'] },
    meta: { type: 'object' },
    principal: { type: ['string', 'null'] },
    request_id: { type: ['string', 'null'] },
    amends: { type: 'string' },
  },
}
