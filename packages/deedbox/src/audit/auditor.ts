import type { LogWriter, Notices } from '../log/index.ts'
import {
  type AuditGate,
  type JobRecord,
  type RequestRecord,
  type RequestScope,
  runOutside,
} from '../request/index.ts'
import { errorMessage, errorTrace, type Redactor } from '../safety/index.ts'
import { Announcer, type CrashedProducer } from './announcer.ts'
import type { AuditEvent } from './audit-event.ts'
import type { InstanceMode } from './audit-modes.ts'
import type { CheckedReceipt } from './checked-receipt.ts'
import { createOutlet, type LedgerTarget, type LedgerWay } from './create-outlet.ts'
import type { DeliveryOptions } from './delivery-options.ts'
import type { SpoolChoice } from './durable-store.ts'
import { explicitEvent, type SendOptions, type SendPayload } from './explicit-event.ts'
import type { CallAuditor } from './function-call.ts'
import { functionEvent } from './function-event.ts'
import type { EventKind } from './ledger-client.ts'
import type { Acknowledgement, AuditOutlet } from './outlet.ts'
import { Producer, type ProducerMark, takesMark } from './producer.ts'
import { checkedReceipt, type ReceiptOptions } from './receipt.ts'
import { jobEvent, requestEvent } from './request-event.ts'
import { createResponseGate, defaultLongestHold, type ResponseGate } from './response-gate.ts'
import { SendError } from './send-error.ts'

/** What one instance decided about its audit events. */
export interface AuditorSettings {
  readonly service: string
  readonly env: string
  readonly redactor: Redactor
  readonly ledger: LedgerTarget
  /** Whether the service itself said that there is no ledger. */
  readonly isChosen: boolean
  /** Where events survive the death of the process; `undefined` for memory alone. */
  readonly spool: SpoolChoice | undefined
  /** The ledger's verifier key, by which receipts are checked. */
  readonly verifierKey: string | undefined
  readonly writer: LogWriter
  readonly notices: Notices
  /** The request or job that the calling code belongs to. */
  readonly scope: () => RequestScope | undefined
  readonly generateId: () => string
  readonly mode: InstanceMode
  readonly modeOf: AuditGate['modeOf']
  /** Routes that have a mode and that no request has met so far. */
  readonly unmetRoutes: () => string[]
  readonly options: DeliveryOptions & {
    readonly timeout?: number
    readonly requests?: boolean
    readonly holdTimeout?: number
    readonly kind?: (record: RequestRecord) => EventKind | undefined
    readonly producer?: boolean | undefined
  }
}

/** Everything about audit events in one instance: how they come about, and where they go. */
export interface Auditor extends CallAuditor {
  readonly outlet: AuditOutlet
  /** What is known of the way to the ledger; `undefined` where events go nowhere. */
  readonly way: LedgerWay | undefined
  readonly producer: Producer
  /** Decides which responses wait for their events, and for what. */
  readonly gate: ResponseGate
  /** Whether requests become events. */
  readonly isAudited: boolean
  /** Makes the event of a request and hands it over. */
  request(record: RequestRecord): void
  /** Makes the event of a job that named one, and hands it over. */
  job(record: JobRecord): void
  /**
   * Builds an explicit event and hands nothing over.
   * @throws SendError
   */
  build(name: string, payload: SendPayload, options: SendOptions): AuditEvent
  /**
   * Sends an explicit event; resolves once it is acknowledged.
   * @throws SendError
   */
  send(name: string, payload: SendPayload, options: SendOptions): Promise<Acknowledgement>
  /**
   * Fetches the receipt of a stored event and checks it.
   * @throws ReceiptError
   */
  receipt(event: string | Acknowledgement, options: ReceiptOptions): Promise<CheckedReceipt>
  /** Tells the ledger that this process ends, and how, within these milliseconds. Never rejects. */
  end(timeout: number, how: 'clean' | 'crashed'): Promise<void>
  /** Tells the ledger that another process died; its events are being sent from here. Never rejects. */
  announceCrashed(crashed: CrashedProducer): Promise<void>
  /** Announces nothing more. */
  close(): void
  producerStats(): ProducerStats
}

/** This process as a source of events. */
export interface ProducerStats {
  readonly id: string
  /** The number that the newest event got; 0 before the first, and where events are not numbered. */
  readonly highWater: number
  /** Announcements that a ledger took, and those that could not be made. */
  readonly announced: number
  readonly failed: number
}

/** Milliseconds that an explicit send waits for its acknowledgement. */
const sendTimeout = 15_000

/** Builds the auditor of an instance. */
export function createAuditor(settings: AuditorSettings): Auditor {
  const { service, env, redactor, options, writer, notices, scope, generateId, mode } = settings
  const producer = new Producer()
  const { outlet, ledger, way } = createOutlet(
    settings.ledger,
    { ...options, mode },
    writer,
    notices,
    settings.isChosen,
    {
      service,
      producer,
      spool: settings.spool,
      onAdopted: ({ producerId, highWater, events, wasClosed }) => {
        if (!wasClosed) void announcer?.crashed({ producerId, highWater, events })
        if (events === 0) return
        notices.warn(
          'audit_adopted',
          `${events} audit events of a process that ended will be delivered in its place`,
          {
            producer: producerId,
            high_water: highWater,
            events,
          },
        )
      },
    },
  )
  const events = { service, env, redactor, kind: options.kind }
  const requestId = (): string => scope()?.requestId ?? generateId()
  const build: Auditor['build'] = (name, payload, how) =>
    explicitEvent(name, payload, how, { service, env, redactor, requestId })
  const announcer =
    ledger === undefined || options.producer === false
      ? undefined
      : new Announcer(producer, ledger, { service, env, waiting: () => outlet.stats() })
  /** Gives an event its number, when nothing can keep it from being handed over any more. Its meta is ours alone. */
  const numbered = (event: AuditEvent): AuditEvent => {
    if (announcer !== undefined) {
      const meta = event.meta as { producer?: ProducerMark }
      meta.producer = producer.next()
      announcer.begin()
    }
    return event
  }
  /** Says that details of an event are not as they were given. */
  const told = (event: AuditEvent): AuditEvent => {
    const { truncated, event_name } = event.meta
    if (truncated !== undefined) {
      notices.warn(
        'event_details',
        'Details of an audit event were cut, or left out because they have not the right form; see EventDetails',
        { event_name, details: truncated },
      )
    }
    return event
  }
  let hasServed = false
  /** A route that was misspelt has the mode of all others, which may be the opposite of what was meant. */
  const tellUnmet = (): void => {
    const routes = settings.unmetRoutes()
    if (!hasServed || routes.length === 0) return
    notices.warn('audit_modes_unmet', 'No request met these routes of audit.modes; are they spelt right?', {
      routes,
    })
  }
  const { verifierKey } = settings
  const receipt: Auditor['receipt'] = (event, how) =>
    runOutside(() => checkedReceipt(ledger, event, verifierKey === undefined ? how : { verifierKey, ...how }))
  const isAudited = mode !== 'off' && options.requests !== false
  const gate = createResponseGate({
    outlet,
    notices,
    build: record => {
      hasServed = true
      return told(requestEvent(record, events))
    },
    numbered,
    modeOf: settings.modeOf,
    isAudited,
    hasLedger: settings.ledger !== null || mode === 'dryRun',
    longest: options.holdTimeout ?? defaultLongestHold,
  })
  return {
    outlet,
    way,
    producer,
    gate,
    isAudited,
    request: record => {
      hasServed = true
      runOutside(() => outlet.offer(told(numbered(requestEvent(record, events)))))
    },
    job: record => {
      const { eventName } = record
      if (eventName !== null && mode !== 'off')
        runOutside(() => outlet.offer(told(numbered(jobEvent({ ...record, eventName }, events)))))
    },
    requestId,
    function: record => {
      try {
        runOutside(() => outlet.offer(numbered(functionEvent(record, events))))
      } catch (error) {
        notices.warn('function_event_failed', 'The event of an audited function could not be made', {
          trace: errorTrace(error),
        })
      }
    },
    undescribed: (eventName, option, error) =>
      notices.warn(
        `audited_${option}`,
        `${option}() of an audited function failed; the event goes out without`,
        { event_name: eventName, trace: errorTrace(error) },
      ),
    build,
    send: async (name, payload, how) => {
      const built = build(name, payload, how)
      // Under a key of the caller's a repeat is the same to the byte.
      const event = how.idempotencyKey === undefined && takesMark(built.meta) ? numbered(built) : built
      const acknowledgement = await runOutside(() => outlet.send(event, how.timeout ?? sendTimeout))
      if (how.receipt !== true) return acknowledgement
      try {
        return { ...acknowledgement, receipt: await receipt(acknowledgement, {}) }
      } catch (error) {
        throw withoutReceipt(acknowledgement, error)
      }
    },
    receipt,
    end: async (timeout, how) => {
      tellUnmet()
      await announcer?.end(timeout, how)
    },
    announceCrashed: async crashed => announcer?.crashed(crashed),
    close: () => announcer?.close(),
    producerStats: () => ({
      id: producer.id,
      highWater: producer.highWater,
      ...(announcer?.counts ?? { announced: 0, failed: 0 }),
    }),
  }
}

/** The event is stored; only its receipt could not be had. */
function withoutReceipt(acknowledgement: Acknowledgement, error: unknown): SendError {
  const { txId, idempotencyKey } = acknowledgement
  const stored = txId === null ? 'The event is logged' : `The event is stored as ${txId}`
  return new SendError('no_receipt', `${stored}, but its receipt could not be had: ${errorMessage(error)}`, {
    idempotencyKey,
    acknowledgement,
  })
}
