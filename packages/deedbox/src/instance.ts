import type {
  Acknowledgement,
  AnyFunction,
  Audited,
  AuditStats,
  CheckedReceipt,
  HeldResponses,
  ProducerStats,
  ReceiptOptions,
  SendError,
  SendOptions,
  SendPayload,
} from './audit/index.ts'
import type { CheckRegistry, HeartbeatListener, HeartbeatSignals } from './checks/index.ts'
import type { Logger, SinkOptions, SinkTarget } from './log/index.ts'
import type { Change, EventDetails, Job, RequestRecord, RequestScope } from './request/index.ts'
import type { ChestStats, TrackedInput, TrackedMiddleware } from './tracking/index.ts'

/** What an instance did so far. */
export interface DeedboxStats {
  /** Request records made, late ones included. */
  readonly records: number
  /** Log lines handed to the sink, and lines that it lost. */
  readonly lines: { readonly written: number; readonly lost: number }
  readonly audit: AuditStats
  /** Responses that waited for their events, in the audit modes `buffer` and `closed`. */
  readonly held: HeldResponses
  /** This instance as the ledger's view of producers knows it. */
  readonly producer: ProducerStats
  /** One for each chest that was written to, or is one of the instance's. */
  readonly chests: readonly ChestStats[]
}

/** One event of {@link Deedbox.sendAll}. */
export interface SendInput extends SendOptions {
  readonly name: string
  readonly payload: SendPayload
}

/** What became of one event of {@link Deedbox.sendAll}. (IP-09) */
export type SendResult =
  | { readonly ok: true; readonly event: SendInput; readonly acknowledgement: Acknowledgement }
  | { readonly ok: false; readonly event: SendInput; readonly error: SendError }

/** A sink that was added while the instance runs. (FA-46) */
export interface AddedSink {
  /** Takes it away; resolves once all its lines are written. */
  remove(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** One instance: what a service imports this package for. `Vars` are the variables that it tracks, with their types. */
export interface Deedbox<Vars extends object = Record<string, unknown>> {
  readonly service: string
  readonly env: string
  /** The log; inside a request its lines carry the request's id. */
  readonly log: Logger
  /** A logger with a name: `box.log.named(name)`. (Ruling 12) */
  logger(name: string): Logger
  /**
   * Has lines written to one more sink, from now on. It gets each line with its line break.
   * @throws TypeError for a level or filter that does not exist
   */
  addSink(to: SinkTarget, options?: SinkOptions): AddedSink
  /** Takes all sinks away, those of the options as well; resolves once their lines are written. */
  removeSinks(): Promise<void>
  /** The id of the request or job that the calling code belongs to. */
  readonly requestId: string | undefined
  /** The request or job that the calling code belongs to, as far as this instance watches it. */
  current(): RequestScope | undefined
  /** Keeps values with the current request, by name. */
  set(values: Readonly<Partial<Vars>>): void
  /** Reads a value back that {@link set} kept. (Ruling 24) */
  get<Name extends keyof Vars & string>(name: Name): Vars[Name] | undefined
  /**
   * Has the variables of the requests or jobs that call a function written to chests, by a rule of its own; see the function
   * of that name. Those of other instances are none of its business.
   * @throws ConfigurationError for options that are none
   */
  tracked<Handler extends AnyFunction>(
    input: TrackedInput<keyof Vars & string> | undefined,
    handler: Handler,
  ): Handler
  /**
   * The same as a middleware of Express, Koa, Hono and Nest, or a hook of Fastify.
   * @throws ConfigurationError for options that are none
   */
  tracked(input?: TrackedInput<keyof Vars & string>): TrackedMiddleware
  /**
   * Names the audit event of the current request, and says more about it: who did it, to what, what it changed, why.
   * Details of several calls add up; a later member replaces an earlier one. (IF-16)
   */
  event(name: string, details?: EventDetails): void
  /** What differs between two states, for the `changes` of an event; see the function of that name. */
  changes(before: unknown, after: unknown): Change[]
  /**
   * Runs work that is no HTTP request in a scope of its own: log lines carry its id, one line tells its end, and
   * if the work names an event, one is sent. (Ruling 5)
   */
  run<Result>(job: Job, work: () => Result): Result
  /**
   * Ties a function to the current request or job: wherever it is called, for instance by a queue that serves many
   * requests, it runs in this one's scope. Outside a request it gives the function back. (FA-14)
   */
  bind<Values extends unknown[], Result>(work: (...values: Values) => Result): (...values: Values) => Result
  /**
   * Makes one audit event of each call of a function: `box.audited(charge, { eventName: 'card.charge' })`, or
   * `@box.audited()` above a method. Nothing else about the function changes. (IP-10)
   */
  readonly audited: Audited
  /**
   * Sends one event and resolves once the ledger has acknowledged it. (IP-03 … IP-08)
   * @throws SendError
   */
  send(name: string, payload: SendPayload, options?: SendOptions): Promise<Acknowledgement>
  /**
   * Fetches the receipt of an event, by its acknowledgement or its `txId`, and checks it: that its signed checkpoint is
   * the ledger's, and that the event is in the tree below it.
   * @throws ReceiptError when there is nothing to check
   */
  receipt(event: string | Acknowledgement, options?: ReceiptOptions): Promise<CheckedReceipt>
  /** Sends many events, in batches; one result per event, in their order. Never rejects. (IP-09) */
  sendAll(events: readonly SendInput[]): Promise<SendResult[]>
  /** Has a function told each request record as it is made. What it throws, or rejects with, is logged. Returns how to undo it. */
  onRecord(listener: (record: RequestRecord) => void): () => void
  /** The checks of this instance, which `health()` runs. (DF-16, DF-18) */
  readonly checks: CheckRegistry
  /**
   * Has a function told each round of checks that passed, or failed the heartbeat. What it throws, or rejects with, is
   * logged. Returns how to undo it. (DF-30)
   * @throws TypeError for a signal that does not exist
   */
  on(signal: keyof HeartbeatSignals, listener: HeartbeatListener): () => void
  stats(): DeedboxStats
  /** Resolves to `true` when all events are delivered, to `false` if that takes longer. Default 5,000 ms. */
  flush(timeout?: number): Promise<boolean>
  /**
   * Flushes, then gives up what still waits (counted as dropped) and takes no more events. Log calls still work.
   * Resolves to whether everything was delivered. A ledger opened by the caller stays open.
   */
  close(timeout?: number): Promise<boolean>
}
