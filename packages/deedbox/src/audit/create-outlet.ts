import type { LogWriter, Notices } from '../log/index.ts'
import { errorMessage, quote } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import type { InstanceMode } from './audit-modes.ts'
import { Delivery } from './delivery.ts'
import { type DeliveryOptions, defaultCapacity, type Warn } from './delivery-options.ts'
import { auditWords } from './delivery-words.ts'
import { type DurableStore, durableStore, type SpoolChoice } from './durable-store.ts'
import { httpLedger } from './http-ledger.ts'
import type { LedgerClient } from './ledger-client.ts'
import { LedgerWatch } from './ledger-watch.ts'
import type { AdoptedProducer } from './outbox/index.ts'
import { type AuditOutlet, localOutlet } from './outlet.ts'
import type { Producer } from './producer.ts'

/** A ledger over HTTP, a client of one, or none. */
export type LedgerTarget =
  | { readonly url: string; readonly apiKey: string; readonly batches?: boolean }
  | LedgerClient
  | Promise<LedgerClient>
  | null

/** Who the events are from, and where they survive. */
export interface OutletPlace {
  readonly service: string
  readonly producer: Producer
  /** `undefined` for memory alone. */
  readonly spool: SpoolChoice | undefined
  readonly onAdopted: (producer: AdoptedProducer) => void
}

/** An outlet, and the ledger behind it. */
export interface CreatedOutlet {
  readonly outlet: AuditOutlet
  readonly ledger: LedgerClient | Promise<LedgerClient> | undefined
  /** What is known of the way there; `undefined` where events go nowhere. */
  readonly way: LedgerWay | undefined
}

/** The way of events to their ledger, for health checks. (Gap 12) */
export interface LedgerWay {
  readonly watch: LedgerWatch
  /** `undefined` for memory alone. */
  readonly store: DurableStore | undefined
  /** Events that may wait in memory. */
  readonly capacity: number
}

/**
 * Builds the outlet of one instance for its ledger; without one, events become log lines, said once. (Ruling 1)
 * @param isChosen whether the service itself said that there is none: it need not be told
 */
export function createOutlet(
  target: LedgerTarget,
  options: DeliveryOptions & {
    readonly mode: InstanceMode
    readonly timeout?: number
    readonly requests?: boolean
  },
  writer: LogWriter,
  notices: Notices,
  isChosen: boolean,
  place: OutletPlace,
): CreatedOutlet {
  if (target instanceof Promise) {
    target.catch(error =>
      notices.warn(
        'ledger_not_opened',
        `The ledger could not be opened, no audit event will be stored: ${errorMessage(error)}`,
      ),
    )
  }
  if (options.mode === 'off')
    return { outlet: localOutlet('off', () => undefined), ledger: undefined, way: undefined }
  if (options.mode === 'dryRun') {
    const outlet = localOutlet('dry_run', (event, ours) =>
      writeAuditLine('audit event, dry run', ',"dry_run":true', event, ours, writer),
    )
    return { outlet, ledger: undefined, way: undefined }
  }
  if (target === null) {
    if (options.requests !== false && !isChosen) {
      notices.warn(
        'no_ledger',
        'No ledger is configured, so audit events become log lines of type "audit". ' +
          'Set DEEDBOX_URL and DEEDBOX_API_KEY, or the option ledger.',
      )
    }
    const outlet = localOutlet('logged', (event, ours) =>
      writeAuditLine('audit event', '', event, ours, writer),
    )
    return { outlet, ledger: undefined, way: undefined }
  }
  const { timeout } = options
  const client =
    'url' in target ? httpLedger(timeout === undefined ? target : { ...target, timeout }) : target
  const warn: Warn = (code, message, fields, level) => notices.tell(level ?? 'WARNING', code, message, fields)
  const name = nameOf(target)
  const store =
    place.spool && name !== undefined
      ? durableStore({
          service: place.service,
          producerId: place.producer.id,
          highWater: () => place.producer.highWater,
          spool: place.spool,
          taker: name,
          capacity: options.capacity,
          onAdopted: place.onAdopted,
          warn,
          words: auditWords,
        })
      : undefined
  const watch = new LedgerWatch()
  const outlet = new Delivery(watch.watched(client), warn, options, store)
  const { capacity = defaultCapacity } = options
  return { outlet, ledger: client, way: { watch, store, capacity } }
}

/** The name of a ledger that no process may take for another's. Never anything of a key. */
function nameOf(target: Exclude<LedgerTarget, null>): string | undefined | Promise<string | undefined> {
  if ('url' in target) return target.url
  if (target instanceof Promise) return target.then(originOf, () => undefined)
  return originOf(target)
}

function originOf(client: LedgerClient): string | undefined {
  const about: unknown = Reflect.get(client, 'about')
  const origin: unknown =
    typeof about === 'object' && about !== null ? Reflect.get(about, 'origin') : undefined
  return typeof origin === 'string' ? `in this process: ${origin}` : undefined
}

/** The line of an event that goes to no ledger. It is written whatever the log level: it is the only copy. */
function writeAuditLine(
  message: string,
  mark: string,
  event: AuditEvent,
  ours: boolean,
  writer: LogWriter,
): void {
  const payload = ours || isJsonObject(event.payload) ? event.payload : quote(event.payload)
  writer.own({
    level: 'INFO',
    type: 'audit',
    message,
    members:
      `,"request_id":${quote(event.requestId)},"type":"audit"${mark},"event_name":${quote(event.meta.event_name)}` +
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
