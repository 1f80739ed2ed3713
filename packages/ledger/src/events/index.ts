export {
  batchItemSchema,
  type EventSource,
  eventSchema,
  type JsonSchema,
  jsonValue,
  limits,
} from 'deedbox/event-rules'
export { columnNames, columnsOfParts, type EventColumns } from './columns.ts'
export type { EventMeta, Party } from './event-meta.ts'
export { type EventInput, type PreparedEvent, prepareEvent } from './intake.ts'
export { asLedgerError, withLedgerErrors } from './ledger-errors.ts'
export { parseStrictJson, parseStrictJsonText } from './strict-json.ts'
