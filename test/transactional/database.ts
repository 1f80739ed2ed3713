import type { Deedbox } from 'deedbox'
import type { OutboxOptions, OutboxRelay, OutboxSendOptions } from 'deedbox/outbox'

type Payload = Parameters<Deedbox['send']>[1]

/** An open transaction of a service. */
export interface Session {
  write(name: string, payload: Payload, options?: OutboxSendOptions): Promise<string>
  /** Writes through a function that runs statements, as libraries offer one. */
  writeThrough(name: string, payload: Payload): Promise<string>
  /** Some other statement of the service, which fails if the transaction is broken. */
  work(): Promise<void>
  end(how: 'COMMIT' | 'ROLLBACK'): Promise<void>
}

/** One row of the outbox's table, texts as texts. */
export interface Row {
  readonly idempotency_key: string
  readonly payload: string
  readonly reason: string | null
  readonly refused: boolean
}

/** One outbox, with its table, and connections of its own. */
export interface Opened {
  readonly outbox: OutboxRelay
  begin(): Promise<Session>
  /** Writes with a connection that is in no transaction. */
  writeOutside(name: string, payload: Payload): Promise<string>
  /** Writes with something that is no connection. */
  writeWrongly(): Promise<string>
  rows(): Promise<Row[]>
  /** Has the database end all connections but the asking one; absent where there are none. */
  cutConnections?(): Promise<void>
  close(): Promise<void>
}

/** One kind of database, as the tests use it. */
export interface Database {
  open(box: Deedbox, options?: OutboxOptions): Promise<Opened>
  /** Opens a constructor with something that is no pool. */
  openWrongly(box: Deedbox): unknown
  /** Whether the relay shares the only connection, so that it has to stand back while a transaction is open on it. */
  readonly sharesConnection: boolean
  /** Whether rows are locked while they are relayed, so that no two relays send the same one. */
  readonly locksRows: boolean
}

/** How a process of its own reaches the same database. */
export type Reach =
  | { readonly kind: 'postgres' | 'mysql'; readonly port: number; readonly isolation?: string }
  | { readonly kind: 'sqlite'; readonly file: string }
