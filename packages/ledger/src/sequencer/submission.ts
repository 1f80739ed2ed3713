import type { LedgerError } from '../errors.ts'
import type { EventColumns, PreparedEvent } from '../events/index.ts'
import type { ProducerAnnouncement } from '../producers/index.ts'
import type { KeyUse, LedgerRow } from '../store/index.ts'
import type { AdminChange, Refused } from './admin-change.ts'

/** One thing to be sequenced. Plain data: it crosses from the caller's thread to the writer's. */
export interface Submission {
  kind: 'event' | 'admin'
  /** Who writes it: the writer that survives key rotation. */
  principal: string
  event: PreparedEvent
  requestId: string
  /** What changes in the tables in the same transaction as the leaf that records it. Such a one is submitted alone. */
  adminChange?: AdminChange
}

/** What became of it, once it is durable. */
export interface Sequenced {
  index: number
  txId: string
  /** Hex SHA-256 of the payload as sent. */
  payloadHash: string
  /** True: this content under this key was here before, and `index` and `txId` are those of the first time. */
  duplicate: boolean
  /** The first event under the same idempotency key, when this one differs from it. */
  amends?: string
  requestId: string
}

/** What the writer needs to open a ledger. Plain data: it crosses to the writer's thread. */
export interface WriterConfig {
  /** The database file. */
  path: string
  keysFolder: string
  /** `DEEDBOX_SIGNING_KEY`, if set. */
  signingKey: string | undefined
  /** The folder of the rollback guard, or null: none is kept. */
  guardFolder: string | null
  /** The name of the ledger inside the file. */
  ledgerName: string
  /** What it has to be. Only an events ledger is created by opening it, as the first of its file. */
  kind: LedgerRow['kind']
  /** For creation only; an existing ledger keeps its own. */
  origin: string | undefined
}

/** What the writer reports once it is open. */
export interface OpenedLedger {
  ledgerId: number
  name: string
  origin: string
  verifierKeys: string[]
  /** True: this opening created the ledger. */
  created: boolean
  /** Sentences for the operator, such as a missing guard. */
  warnings: string[]
}

/**
 * Sequences what is submitted durably. The same contract in this thread and in a thread of its own. A raw ledger's
 * takes the bytes of entries and tells their indices.
 */
export interface Writer<Item = Submission, Result = Sequenced> {
  readonly ledger: OpenedLedger
  /** Why nothing can be written any more until the ledger is opened anew; undefined while all is well. */
  readonly failure: LedgerError | undefined
  /** What the operator should know while writing goes on, for instance that the guard cannot be stored. */
  readonly warning: string | undefined
  /**
   * Sequences all of them in one transaction, in order. Resolves once they are durable and the rollback guard
   * is stored. On rejection none is stored, except with the code `outcome_unknown`: then either all or none.
   */
  append(submissions: Item[]): Promise<(Result | Refused)[]>
  /** Publishes the newest checkpoint if it is not public yet. */
  publish(): Promise<void>
  /** Notes when API keys were used. Who is not told that it failed has lost nothing but the note. */
  touchKeys(uses: KeyUse[]): Promise<void>
  /** Notes what producers say about themselves, durably. */
  announce(said: ProducerAnnouncement[]): Promise<void>
  close(): Promise<void>
}

/** The submission that records an act of the ledger itself as a leaf. */
export function adminSubmission(name: string, payload: object, requestId: string): Submission {
  const columns: EventColumns = {
    type: 'info',
    event_name: name,
    service: 'deedbox',
    env: null,
    request_id: requestId,
    trace_id: null,
    immutable_trail: null,
    actor_id: null,
    subject: null,
    correlation_id: null,
    outcome: null,
  }
  const context = `{"request_id":${JSON.stringify(requestId)}}`
  return {
    kind: 'admin',
    principal: 'ledger',
    requestId,
    event: {
      payload: JSON.stringify(payload),
      core: `{"event_name":${JSON.stringify(name)},"service":"deedbox","type":"info"}`,
      context,
      content: context,
      columns,
      producer: undefined,
      idempotencyKey: undefined,
      requestId,
    },
  }
}
