import { type Auditor, SendError, type SendOptions, type SendPayload } from '../audit/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { runOutside } from '../request/index.ts'
import { ConfigurationError } from '../safety/index.ts'
import { columnsOf, type EventColumns, type OutboxBacklog, type OutboxStore } from './event-row.ts'
import { Relay } from './relay.ts'
import type { TableOptions } from './table-name.ts'

/** How an outbox is kept and relayed. */
export interface OutboxOptions extends TableOptions {
  /** Whether {@link OutboxRelay.start} creates the table if it is not there. Default `true`. */
  readonly createTable?: boolean
  /** Milliseconds between two looks at a table in which nothing waited. Default 1,000. */
  readonly interval?: number
  /** Rows that a relay takes at once. Default 100. */
  readonly batch?: number
  /** Whether a started relay keeps the process alive: for a process that does nothing else. Default `false`. */
  readonly keepAlive?: boolean
}

/** What an event may say, as in `box.send`, but for the time to wait: nothing is waited for. */
export type OutboxSendOptions = Omit<SendOptions, 'timeout'>

/** What this process's outbox did so far. */
export interface OutboxStats {
  /** Calls of `write` that came through, those of transactions that were rolled back included: nobody tells of these. */
  readonly written: number
  /** Rows that the ledger acknowledged and that were deleted. */
  readonly relayed: number
  /** Rows that the ledger refused for good; they stay in the table with the reason. */
  readonly refused: number
  /** Looks at the table that failed, or that ended with rows for which the ledger had no answer. */
  readonly failed: number
  /** Looks that found a transaction open on the SQLite connection that the relay has, so that it took nothing. */
  readonly blocked: number
  /** Whether the relay is started. */
  readonly running: boolean
}

/** The half of an outbox that brings what was committed to the ledger. */
export interface OutboxRelay {
  /** The statement that creates the table, for migrations of your own. */
  readonly definition: string
  /**
   * Creates the table unless it is there.
   * @throws what the database says
   */
  migrate(): Promise<void>
  /**
   * Relays from now on, in the background, until {@link stop} or `box.close()`. Resolves once it has tried to create the
   * table, and never rejects: what goes wrong is logged, counted and tried again.
   */
  start(): Promise<void>
  /**
   * Relays what waits now, and resolves to the number of rows that the ledger acknowledged.
   * @throws what the database says
   * @throws OutboxError `in_transaction`
   */
  runOnce(): Promise<number>
  /**
   * Ends what {@link start} began; resolves once nothing is under way. Rows without an answer wait for the next relay.
   * @param timeout milliseconds to wait for the ledger's answers. Default 5,000
   */
  stop(timeout?: number): Promise<void>
  /** Rows that the ledger acknowledged and that were deleted. */
  readonly relayed: number
  /** What this process did so far. */
  stats(): OutboxStats
  /**
   * Counts the rows of the table, those of other processes included.
   * @throws what the database says
   */
  backlog(): Promise<OutboxBacklog>
}

/** A transactional outbox: events are written in the caller's own transaction, and relayed once that is committed. */
export interface Outbox<Transaction> extends OutboxRelay {
  /**
   * Writes an event in the caller's open transaction; resolves to its idempotency key. Sends nothing.
   * @throws SendError as `box.send` does
   * @throws OutboxError
   */
  write(
    transaction: Transaction,
    name: string,
    payload: SendPayload,
    options?: OutboxSendOptions,
  ): Promise<string>
}

/** The parts that an outbox is put together from. */
export interface OutboxParts {
  readonly relay: OutboxRelay
  /**
   * Builds an event once, for good.
   * @throws SendError
   */
  readonly columns: (name: string, payload: SendPayload, options: OutboxSendOptions) => EventColumns
  /** To be called after each insert. */
  readonly wrote: () => void
}

/**
 * What all kinds of database share.
 * @throws ConfigurationError
 */
export function outboxParts<Transaction, Written>(
  box: Deedbox,
  store: OutboxStore<Transaction, Written>,
  options: OutboxOptions,
): OutboxParts {
  const { interval = 1_000, batch = 100, createTable = true, keepAlive = false } = options
  inRange('outbox.interval', interval, 'milliseconds', 10, 3_600_000)
  inRange('outbox.batch', batch, 'rows', 1, 1_000)
  const { auditor, notices, closing } = internalsOf(box)
  const relay = new Relay(store, auditor.outlet, notices, { interval, batch, createTable, keepAlive })
  let written = 0
  return {
    relay: {
      definition: store.definition,
      migrate: () => runOutside(() => store.createTable()),
      start: () => {
        closing.add(relay.stop)
        return runOutside(() => relay.start())
      },
      runOnce: () => runOutside(() => relay.runOnce()),
      stop: timeout => {
        closing.delete(relay.stop)
        return relay.stop(timeout)
      },
      get relayed() {
        return relay.counts.relayed
      },
      stats: () => ({ written, ...relay.counts, running: relay.isRunning }),
      backlog: () => runOutside(() => store.count()),
    },
    columns: (name, payload, how) => columnsOf(build(auditor, name, payload, how)),
    wrote: () => {
      written++
      relay.expect()
    },
  }
}

/**
 * An outbox whose database answers later.
 * @throws ConfigurationError
 */
export function createOutbox<Transaction>(
  box: Deedbox,
  store: OutboxStore<Transaction, Promise<void>>,
  options: OutboxOptions,
): Outbox<Transaction> {
  const { relay, columns, wrote } = outboxParts(box, store, options)
  return Object.assign(relay, {
    write: async (
      transaction: Transaction,
      name: string,
      payload: SendPayload,
      how: OutboxSendOptions = {},
    ): Promise<string> => {
      const row = columns(name, payload, how)
      await store.insert(transaction, row)
      wrote()
      return row.idempotency_key
    },
  })
}

function build(
  auditor: Auditor,
  name: unknown,
  payload: SendPayload,
  how: OutboxSendOptions,
): ReturnType<Auditor['build']> {
  if (typeof name !== 'string')
    throw new SendError(
      'invalid_event',
      'The event cannot be sent: write() takes the transaction first, then the event name',
    )
  return auditor.build(name, payload, how)
}

function inRange(setting: string, value: unknown, unit: string, least: number, most: number): void {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return
  throw new ConfigurationError(setting, `a whole number of ${unit} from ${least} to ${most} is needed.`)
}
