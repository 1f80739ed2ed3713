/** Why an event, or the body that holds it, is refused; the same text is the `reason` of the HTTP answer. */
export type EventRefusalCode =
  | 'malformed_json'
  | 'duplicate_key'
  | 'number_not_exact'
  | 'invalid_text'
  | 'invalid_event'
  | 'invalid_payload'
  | 'invalid_meta'
  | 'invalid_idempotency_key'
  | 'payload_too_large'
  | 'meta_too_large'
  | 'batch_too_large'

/** What these rules throw: `code` is for programs, `message` is a sentence that says what to do. */
export class EventRefusal extends Error {
  override readonly name = 'EventRefusal'
  readonly code: EventRefusalCode

  constructor(code: EventRefusalCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
