import { type CapturedLog, captureLog } from './captured-log.ts'

/** An audit event, parsed. */
export interface SeenEvent {
  readonly meta: Record<string, unknown>
  readonly payload: Record<string, unknown>
}

/** A captured log that is asked for its audit events. */
export interface AuditedLog extends CapturedLog {
  events(): Promise<SeenEvent[]>
}

/** An instance, and the audit events that it made. */
export function auditedLog(...options: Parameters<typeof captureLog>): AuditedLog {
  const captured = captureLog(...options)
  const events = async (): Promise<SeenEvent[]> =>
    (await captured.lines())
      .filter(line => line.type === 'audit')
      .map(({ meta, payload }) => ({ meta, payload }) as unknown as SeenEvent)
  return { ...captured, events }
}

/** A payload in which what differs each time is told by its shape alone. */
export function timeless({ payload }: SeenEvent): unknown {
  return JSON.parse(
    JSON.stringify(payload)
      .replace(/"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"/, '"<uuid>"')
      .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/g, '"<instant>"')
      .replace(/"latency_ms":\d+/, '"latency_ms":"<ms>"'),
  )
}
