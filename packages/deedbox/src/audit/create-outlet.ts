import type { LogWriter, Notices } from '../log/index.ts'
import { errorMessage, quote } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import { Delivery, type DeliveryOptions } from './delivery.ts'
import { httpLedger } from './http-ledger.ts'
import type { LedgerClient } from './ledger-client.ts'
import { type AuditOutlet, loggedOutlet } from './outlet.ts'

/** A ledger over HTTP, a client of one, or none. */
export type LedgerTarget =
  | { readonly url: string; readonly apiKey: string; readonly batches?: boolean }
  | LedgerClient
  | Promise<LedgerClient>
  | null

/** An outlet, and the ledger behind it. */
export interface CreatedOutlet {
  readonly outlet: AuditOutlet
  readonly ledger: LedgerClient | Promise<LedgerClient> | undefined
}

/**
 * Builds the outlet of one instance for its ledger; without one, events become log lines, said once. (Ruling 1)
 * @param isChosen whether the service itself said that there is none: it need not be told
 */
export function createOutlet(
  target: LedgerTarget,
  options: DeliveryOptions & { readonly timeout?: number; readonly requests?: boolean },
  writer: LogWriter,
  notices: Notices,
  isChosen: boolean,
): CreatedOutlet {
  if (target === null) {
    if (options.requests !== false && !isChosen) {
      notices.warn(
        'no_ledger',
        'No ledger is configured, so audit events become log lines of type "audit". ' +
          'Set DEEDBOX_URL and DEEDBOX_API_KEY, or the option ledger.',
      )
    }
    const outlet = loggedOutlet((event, ours) => writeAuditLine(event, ours, writer))
    return { outlet, ledger: undefined }
  }
  const { timeout } = options
  const client =
    'url' in target ? httpLedger(timeout === undefined ? target : { ...target, timeout }) : target
  if (client instanceof Promise) {
    client.catch(error =>
      notices.warn(
        'ledger_not_opened',
        `The ledger could not be opened, no audit event will be stored: ${errorMessage(error)}`,
      ),
    )
  }
  const outlet = new Delivery(client, (code, message, fields) => notices.warn(code, message, fields), options)
  return { outlet, ledger: client }
}

/** The line of an event without a ledger. It is written whatever the log level: it is the only copy. */
function writeAuditLine(event: AuditEvent, ours: boolean, writer: LogWriter): void {
  const payload = ours || isJsonObject(event.payload) ? event.payload : quote(event.payload)
  writer.own({
    level: 'INFO',
    type: 'audit',
    message: 'audit event',
    members:
      `,"request_id":${quote(event.requestId)},"type":"audit","event_name":${quote(event.meta.event_name)}` +
      `,"idempotency_key":${quote(event.idempotencyKey)},"payload":${payload},"meta":${JSON.stringify(event.meta)}`,
  })
}

/** Whether a caller's text can stand in a line as it is. */
function isJsonObject(text: string): boolean {
  if (!text.startsWith('{') || /[\r\n]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
