/** Somebody or something that acts, or is acted on. Texts have 1 to 1,024 characters. */
export interface Party {
  readonly type?: string
  readonly id: string
  readonly name?: string
}

/** One value that an action changed. */
export interface Change {
  /** Where, as in `address.city` or `items[0].price`. */
  readonly path: string
  /** Absent for what was added. */
  readonly before?: unknown
  /** Absent for what was removed. */
  readonly after?: unknown
}

/**
 * What an audit event says beside what happened: who did it, to what, why. The members stand in the event's `meta`
 * under these names, where the ledger indexes and shows them; further members are kept as they are.
 */
export interface EventDetails {
  /** Who did it. Default: the request's user, if it is known. */
  readonly actor?: Party
  /** For whom the actor did it. */
  readonly on_behalf_of?: Party
  /** What it was done to; at most 20. */
  readonly targets?: readonly Party[]
  /** What came of it, in the service's own word, for example `denied`. */
  readonly outcome?: string
  /** What it changed; at most 50. See `changes()`. */
  readonly changes?: readonly Change[]
  /** Why, in at most 4,096 characters. */
  readonly reason?: string
  /** Whose data this is: what an erasure goes by. */
  readonly subject?: string
  readonly correlation_id?: string
  /** Groups events; at most 256 characters, no colon. */
  readonly immutable_trail?: string
  /** When it happened, if not now: RFC 3339 with a zone. */
  readonly occurred_at?: string
  readonly [member: string]: unknown
}
