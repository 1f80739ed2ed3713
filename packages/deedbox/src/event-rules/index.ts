/**
 * What an event has to be, for everything that takes events: the ledger, and the one in memory of `deedbox/testing`.
 * An entry of its own so that `@deedbox/ledger` finds it; services need none of it.
 */
export { bearerTest } from '../safety/index.ts'
export { checkEvent, type EventParts, type EventSource } from './check-event.ts'
export { EventRefusal, type EventRefusalCode } from './event-refusal.ts'
export { batchItemSchema, eventSchema, type JsonSchema } from './event-schema.ts'
export { jsonValue } from './json-value.ts'
export { limits } from './limits.ts'
export { type ProducerMark, producerMarkOf } from './producer-mark.ts'
export { type ItemOrRefusal, readBatch, readEvent, textOfHeader } from './request-body.ts'
export { firstFault, type SchemaFault } from './schema-fault.ts'
export { checkText, parseStrictJson, parseStrictJsonText } from './strict-json.ts'
export { toldMessage } from './told-message.ts'
