/** What can be shown in the clear in a receipt. */
export type ReceiptPart = 'core' | 'context' | 'payload' | 'server'

/** A receipt, and what checking it found. Keep `text`: it proves the same to anybody, without the ledger. */
export interface CheckedReceipt {
  /** A `.tlog-proof` file. */
  readonly text: string
  /** Whether everything holds and a key that was brought along vouches for it. */
  readonly ok: boolean
  /**
   * `ok`; `ok_unpinned`, when it only agrees with the key that came with it; `bad_signature`, `content_mismatch`,
   * `not_covered`, `unknown_version` and others that `deedbox verify` knows.
   */
  readonly verdict: string
  /** What was checked, or what is wrong. */
  readonly detail: string
  readonly txId: string
  /** The event's place in the ledger. */
  readonly index: number
  /** Name and size of the ledger at the checkpoint that the receipt refers to, if that holds. */
  readonly origin: string | undefined
  readonly size: number | undefined
}
