/** The sizes that the ledger accepts, in bytes unless the name says otherwise (DESIGN §7.1). */
export const limits: {
  readonly payloadBytes: number
  readonly metaBytes: number
  readonly singleBodyBytes: number
  readonly batchBodyBytes: number
  readonly batchItems: number
  readonly idempotencyKeyBytes: number
} = {
  payloadBytes: 65_536,
  metaBytes: 16 * 1024,
  singleBodyBytes: 512 * 1024,
  batchBodyBytes: 8 * 1024 * 1024,
  batchItems: 1_000,
  idempotencyKeyBytes: 2_048,
}
