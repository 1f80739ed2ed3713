/**
 * The shape of what a client sends, once: validators and the OpenAPI document read from here. Unknown members of `meta` are kept (DESIGN §7.2).
 */

/** A JSON Schema (draft 7), as the validator and OpenAPI take it. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Free text that identifies something; opaque to the ledger, so slashes, percent signs and any script are fine. */
const name = { type: 'string', minLength: 1, maxLength: 1024 }

const actor = {
  type: 'object',
  required: ['id'],
  properties: { type: name, id: name, name },
}

/** JSON Schema (draft 7) of `meta`. `type`, `event_name` and `service` are required, as published clients send them. */
export const metaSchema: JsonSchema = {
  type: 'object',
  required: ['type', 'event_name', 'service'],
  properties: {
    type: { type: 'string', enum: ['error', 'warning', 'info', 'success'] },
    event_name: {
      ...name,
      description: 'A dotted business name, or an automatic one such as http.GET./orders/:id',
    },
    service: name,
    env: name,
    request_id: name,
    trace_id: name,
    immutable_trail: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      pattern: '^(?!\\s)[^:]*[^:\\s]$',
      description: 'Groups related events; no colon, no outer white space',
    },
    occurred_at: {
      type: 'string',
      maxLength: 40,
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$',
      description: "The client's time, RFC 3339; kept as data, never used for order",
    },
    actor,
    on_behalf_of: actor,
    targets: { type: 'array', maxItems: 20, items: actor },
    outcome: name,
    changes: {
      type: 'array',
      maxItems: 50,
      items: { type: 'object', required: ['path'], properties: { path: name, before: {}, after: {} } },
    },
    reason: { type: 'string', maxLength: 4096 },
    correlation_id: name,
    subject: { ...name, description: 'Whose data this is' },
    producer: {
      type: 'object',
      required: ['id', 'seq'],
      properties: { id: name, seq: { type: 'integer', minimum: 0 } },
    },
  },
}

const eventProperties: JsonSchema = {
  payload: { type: 'string', description: 'Opaque text, JSON by convention; hashed exactly as sent' },
  meta: metaSchema,
}

/** JSON Schema of the body of `POST /v1/events`: exactly two members. */
export const eventSchema: JsonSchema = {
  type: 'object',
  required: ['payload', 'meta'],
  additionalProperties: false,
  properties: eventProperties,
}

/** JSON Schema of one item of `POST /v1/events/batch`. */
export const batchItemSchema: JsonSchema = {
  ...eventSchema,
  properties: { ...eventProperties, idempotency_key: { type: 'string', minLength: 1 } },
}
