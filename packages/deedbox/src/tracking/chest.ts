/** A value as chests get it: what JSON can say. (FC-05, FC-23) */
export type TrackedValue =
  | string
  | number
  | boolean
  | null
  | readonly TrackedValue[]
  | { readonly [member: string]: TrackedValue }

/** The request or job that tracked variables are of. */
export interface TrackedRecord {
  /** A UUID version 7, the same for every attempt to write it. */
  readonly id: string
  /** The shared request id, or what the route's own generator made; at most 255 characters. (FC-08) */
  readonly requestId: string
  /** Microseconds since 1970-01-01 UTC at its end; no two records of a process have the same. */
  readonly timestamp: number
  readonly service: string
  readonly env: string
  /** The matched route's template, or the name of the job; `null` where no route is known. */
  readonly route: string | null
  /** `null` for a job. */
  readonly method: string | null
  /** `null` for a job. */
  readonly status: number | null
  /** The message of the error that it failed with. (FC-10) */
  readonly error: string | null
  /** Those of the chest that an exporter brings it from; the chest that it goes to adds its own to them. (FC-25) */
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** What an entry tells beside its three parts. */
export interface EntryFacts {
  readonly name: string
  readonly value: TrackedValue
  readonly requestId: string
  /** What no other entry has, the same for every attempt to write it: its record's id and its place in it. */
  readonly id: string
  readonly record: TrackedRecord
  /** Microseconds since 1970-01-01 UTC. */
  readonly timestamp: number
  readonly route: string | null
  readonly method: string | null
  readonly status: number | null
}

/** One tracked variable of one request: the tuple of the original, and what is known beside it. (FC-07) */
export type ContextEntry = readonly [name: string, value: TrackedValue, requestId: string] & EntryFacts

/** Takes what a chest says about its work: a logger of this package, `console`, pino. (Ruling 25) */
export interface ChestLogger {
  debug(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

/** How entries wait for a chest. */
export interface ChestQueueOptions {
  /** Whether what waits survives the death of the process, in the spool. Default `false`. (Ruling 25) */
  readonly durable?: boolean | undefined
  /** Requests that may wait in memory; beyond it they wait in the spool, and without one the newest are dropped. Default 10,000. */
  readonly capacity?: number | undefined
  /** Requests of one write, at most. Default 256. */
  readonly batch?: number | undefined
  /** Milliseconds that the first request of a write waits for company. Default 25. */
  readonly linger?: number | undefined
}

/** What a chest says about its own state. */
export interface CheckMessage {
  /** Dotted, after the chest: `deedbox.chest.unreachable`. */
  readonly id: string
  readonly level: 'info' | 'warning' | 'error' | 'critical'
  /** A sentence, without secrets. */
  readonly message: string
  readonly hint?: string
}

/**
 * Where tracked variables go. Anything with these members is one. (FC-15)
 *
 * The queue of an instance writes one batch at a time. Awaiting routes, other instances and other processes may write to
 * the same place meanwhile.
 */
export interface Chest {
  /** `SQLite(name=…)`: stands in each line about it. Unique among the chests of an instance. Holds no secret. */
  readonly id: string
  /** Where it writes, without secrets: what waits in the spool is only ever written to this place. */
  readonly address?: string | undefined
  readonly queue?: ChestQueueOptions | undefined
  readonly logger?: ChestLogger | undefined
  /**
   * Writes entries of one or more requests; those of one request stand together. Resolves once they are as durable as the
   * place makes them. The same entries may come again after a write whose outcome was unknown: by their `id` they are to
   * be stored once. A write that has not come back after 30 seconds counts as one of unknown outcome.
   * @throws ChestError `refused` for what no further attempt would change; anything else that is thrown is tried again
   */
  write(entries: readonly ContextEntry[]): Promise<void>
  /** Looks whether it could write now; no message means yes. Never rejects, and takes seconds at most. */
  check(): Promise<CheckMessage[]>
  /**
   * Lets go of what it opened itself; what the caller handed over stays open. Called when the last instance that writes to
   * it is closed, also while a write hangs. May come twice.
   */
  close(): Promise<void>
}

/** A stored entry, and what its place knows it by. */
export interface StoredEntry {
  readonly key: string | number
  readonly entry: ContextEntry
  /** The tags that it was written with. (FC-25) */
  readonly tags: Readonly<Record<string, string>>
}

/** What is looked for in a chest. All members that are given have to fit. */
export interface EntryFilter {
  readonly requestId?: string | undefined
  readonly name?: string | undefined
}

/** A chest that can be read, and that an exporter can empty. */
export interface ReadableChest extends Chest {
  /** The newest entries that fit, oldest of them first. */
  find(filter: EntryFilter, limit: number): Promise<StoredEntry[]>
  /** The oldest entries, in the order in which they were written. */
  oldest(limit: number): Promise<StoredEntry[]>
  /** Deletes exactly these, in one transaction where there are any. Resolves to how many were still there. */
  remove(keys: readonly StoredEntry['key'][]): Promise<number>
  count(): Promise<number>
  /**
   * Takes, or renews, the right to empty this chest, for so many milliseconds by the clock of the place. One holder has it at
   * a time, across processes and machines. Resolves to whether this one has it now.
   */
  lease(holder: string, milliseconds: number): Promise<boolean>
  /** Gives the right back, if this holder has it. */
  release(holder: string): Promise<void>
  /**
   * Who took the right last and has not given it back; `undefined` for nobody. Changes nothing. By it an exporter knows a
   * target that is its source under another name; one without this member is known by its `address` alone.
   */
  holder?(): Promise<string | undefined>
}
