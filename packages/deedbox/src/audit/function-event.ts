import type { LogFields } from '../log/index.ts'
import { type EventDetails, type Failure, isoMicroseconds, uuid4 } from '../request/index.ts'
import { createSerializer, logLimits, quote } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import { severityOf } from './classification.ts'
import { detailMembers } from './event-details.ts'
import type { EventKind } from './ledger-client.ts'
import { exceptionName, exceptionText, finish, type RequestEventSettings } from './request-event.ts'

/** One finished call of an audited function. */
export interface FunctionRecord {
  readonly eventName: string
  /** Of a call that did not throw. */
  readonly kind: EventKind
  /** Default: the instance's. */
  readonly service: string | undefined
  readonly module: string
  readonly name: string
  readonly requestId: string
  /** Microseconds since 1970. */
  readonly startedAt: number
  /** Seconds. */
  readonly elapsed: number
  readonly error: Failure | null
  /** How many values a generator gave; `null` for other functions. */
  readonly items: number | null
  /** What the function's `fields` told. */
  readonly fields: LogFields | undefined
  /** What the function's `details` told. */
  readonly details: EventDetails | undefined
}

/** The audit event of a call of an audited function, whatever its form. (IP-11, IP-12, ruling 18) */
export function functionEvent(record: FunctionRecord, settings: RequestEventSettings): AuditEvent {
  const { redactor } = settings
  const { details, error, fields, items } = record
  const name = redactor.text(record.eventName)
  const kind = error === null ? record.kind : 'error'
  const exception = error === null ? '' : exceptionName(error.thrown, redactor)
  const end = record.startedAt + Math.round(record.elapsed * 1_000_000)
  // Written by hand and not by JSON.stringify: this runs once per call.
  const payload =
    `{"id":"${uuid4()}","kind":"${kind}"` +
    `,"message":${quote(error === null ? `${name} executed` : `${name} failed: ${exception}`)}` +
    `,"timestamp":"${isoMicroseconds(end)}Z"` +
    `,"metrics":{"latency_ms":${Math.floor(record.elapsed * 1000)},"started_at":"${isoMicroseconds(record.startedAt)}Z"}` +
    `,"severity":"${severityOf(kind)}"` +
    `,"function":{"module":${quote(redactor.text(record.module))},"name":${quote(redactor.text(record.name))}}` +
    `${items === null ? '' : `,"items":${items}`}` +
    `${fields === undefined ? '' : `,"fields":${createSerializer(redactor, logLimits).serialize(fields).json}`}` +
    `${error === null ? '' : `,"error":{"exception":${quote(exception)},"exception_message":${quote(exceptionText(error.thrown, redactor))},"retryable":false}`}}`
  const service = record.service === undefined ? settings.service : redactor.text(record.service)
  return finish(payload, { ...settings, service }, kind, name, record.requestId, {
    ...(details === undefined ? {} : detailMembers(details, redactor)),
  })
}
