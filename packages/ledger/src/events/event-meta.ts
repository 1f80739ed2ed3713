/** Somebody or something that acts or is acted on. */
export interface Party {
  type?: string
  id: string
  name?: string
}

/** `meta` of an event: what the ledger indexes. Further members are kept as they are. */
export interface EventMeta {
  type: 'error' | 'warning' | 'info' | 'success'
  event_name: string
  service: string
  env?: string
  request_id?: string
  trace_id?: string
  immutable_trail?: string
  /** RFC 3339; the client's clock, never used for order. */
  occurred_at?: string
  actor?: Party
  on_behalf_of?: Party
  targets?: Party[]
  outcome?: string
  changes?: { path: string; before?: unknown; after?: unknown }[]
  reason?: string
  correlation_id?: string
  /** Whose data this is. */
  subject?: string
  producer?: { id: string; seq: number }
  [further: string]: unknown
}
