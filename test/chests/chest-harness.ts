import type { TestContext } from 'node:test'
import type { Chest, ChestLogger, TrackedValue } from 'deedbox/chests'

/** What a client that is not the chest reads of one entry. Absent where a layout does not keep it. */
export interface Stored {
  readonly name: string
  readonly value: TrackedValue
  readonly requestId: string
  /** Microseconds since 1970-01-01 UTC. */
  readonly timestamp?: number
  readonly route?: string | null
  readonly method?: string | null
  readonly status?: number | null
  readonly tags?: Readonly<Record<string, string>>
}

/** A fresh, empty place of one kind of chest. */
export interface Place {
  /** Opens one more chest on this place. */
  open(options?: PlaceOptions): Chest
  /** All that is stored, in the order in which it was written where the place keeps one. */
  stored(): Promise<Stored[]>
  /**
   * The source of a module that exports a function `open(): Chest` of this place, for another process. It may import
   * packages, such as `deedbox/chests`.
   */
  readonly program: string
}

/** What all chests take. */
export interface PlaceOptions {
  readonly tags?: Readonly<Record<string, string>>
  readonly logger?: ChestLogger
  readonly durable?: boolean
}

/** How the conformance suite knows one kind of chest. */
export interface ChestHarness {
  readonly name: string
  /** Why it cannot be tested here. */
  readonly skip: string | false
  /** What is stored of a value, for places whose own rules say so. Default: the value itself. */
  readonly keeps?: (value: TrackedValue) => TrackedValue
  /** The most bytes that the place takes of one text, where two million are too many. */
  readonly longestText?: number
  /** Whether the same entries written twice are there once. An HTTP endpoint decides that itself. */
  readonly isIdempotent: boolean
  /** Whether its chests are `ReadableChest`s. */
  readonly isReadable: boolean
  place(t: TestContext): Promise<Place>
  /** A chest of this kind with a password that the server refuses; absent where there are none. */
  withWrongCredentials?(t: TestContext): Promise<{ readonly chest: Chest; readonly password: string }>
  /** Stops the server and starts it again, with its data; absent where there is no server. */
  readonly server?: { halt(): Promise<void>; start(): Promise<void> }
  /**
   * A chest that talks to a server with a self-signed certificate, as it comes by default, and one that was told to accept
   * it; absent where there is no connection.
   */
  withSelfSigned?(
    t: TestContext,
  ): Promise<{ readonly byDefault: Chest; readonly accepting: Chest; stored(): Promise<Stored[]> }>
}
