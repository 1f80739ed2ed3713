import { createHash } from 'node:crypto'
import { errorMessage } from '../safety/index.ts'
import type { CheckedReceipt, ReceiptPart } from './checked-receipt.ts'
import type { LedgerClient } from './ledger-client.ts'
import type { Acknowledgement } from './outlet.ts'

/** How a receipt is asked for and checked. */
export interface ReceiptOptions {
  /**
   * The ledger's verifier key, or several, got from somewhere else than the ledger's answer. Default
   * `audit.verifierKey`, `DEEDBOX_VERIFIER_KEY`; without one the verdict is at best `ok_unpinned`.
   */
  readonly verifierKey?: string | readonly string[]
  /** What the receipt is to show in the clear, for which the API key needs the scope `read`. Default nothing. */
  readonly disclose?: readonly ReceiptPart[]
}

/**
 * Why there is no receipt.
 * - `no_ledger`: events are only logged, or the ledger knows no receipts.
 * - `unknown_event`: the ledger has no such event.
 * - `refused`: the ledger refused to answer, for example because the API key may not `verify`.
 * - `unavailable`: no answer, or none that can be read; ask again later.
 * - `malformed`: what came is no receipt, or what was given is no verifier key.
 */
export type ReceiptErrorCode = 'no_ledger' | 'unknown_event' | 'refused' | 'unavailable' | 'malformed'

/** What asking for a receipt rejects with. The event itself is stored or not, whatever this says. */
export class ReceiptError extends Error {
  override readonly name = 'ReceiptError'
  readonly code: ReceiptErrorCode

  constructor(code: ReceiptErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/**
 * Fetches the receipt of an event and checks it offline: signature, inclusion, that it is about this event and, if the
 * payload is disclosed and an acknowledgement is given, that the payload is the one that was sent. (Ruling 21)
 * @throws ReceiptError when there is nothing to check; what does not hold is a verdict, not an error
 */
export async function checkedReceipt(
  ledger: LedgerClient | Promise<LedgerClient> | undefined,
  event: string | Acknowledgement,
  options: ReceiptOptions,
): Promise<CheckedReceipt> {
  const txId = typeof event === 'string' ? event : event.txId
  const payloadHash = typeof event === 'string' ? undefined : event.payloadHash
  if (ledger === undefined || txId === null) {
    throw new ReceiptError(
      'no_ledger',
      'There is no receipt: no ledger is configured, so events are only logged',
    )
  }
  const text = await fetchReceipt(await opened(ledger), txId, options.disclose ?? [])
  const { checkReceipt, parseVerifierKey, TlogError } = await import('@deedbox/tlog')
  const { nodeCrypto } = await import('@deedbox/tlog/node')
  const keys = [options.verifierKey ?? []].flat()
  try {
    const pinned = keys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
    const { verdict, detail, leaf, checkpoint, receipt } = checkReceipt(nodeCrypto, text, pinned)
    const found = {
      text,
      txId,
      index: receipt.index,
      origin: checkpoint?.origin,
      size: checkpoint === undefined ? undefined : Number(checkpoint.size),
    }
    const holds = verdict === 'ok' || verdict === 'ok_unpinned'
    const other = holds
      ? mismatch(txId, payloadHash, leaf?.tx_id, receipt.disclosed.payload?.content)
      : undefined
    if (other !== undefined) return { ...found, ok: false, verdict: 'content_mismatch', detail: other }
    const unpinned = verdict === 'ok_unpinned' ? ` ${howToPin}` : ''
    return { ...found, ok: verdict === 'ok', verdict, detail: detail + unpinned }
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new ReceiptError('malformed', `The receipt of ${txId} cannot be checked: ${error.message}`, error)
  }
}

const howToPin =
  "Set DEEDBOX_VERIFIER_KEY, audit.verifierKey or the option verifierKey to the ledger's own, got from somewhere else."

/** What a receipt that holds would still have to be: the one of this event, with this payload. */
function mismatch(
  txId: string,
  payloadHash: string | undefined,
  ofTxId: string | undefined,
  payload: Uint8Array | undefined,
): string | undefined {
  if (ofTxId !== txId) return `The receipt is one of ${ofTxId ?? 'no event'}, not of ${txId}.`
  if (payload === undefined || payloadHash === undefined) return undefined
  return createHash('sha256').update(payload).digest('hex') === payloadHash
    ? undefined
    : 'The payload that the receipt discloses is not the one that was acknowledged.'
}

async function opened(ledger: LedgerClient | Promise<LedgerClient>): Promise<LedgerClient> {
  try {
    return await ledger
  } catch (error) {
    throw new ReceiptError('unavailable', `The ledger could not be opened: ${errorMessage(error)}`, error)
  }
}

async function fetchReceipt(
  client: LedgerClient,
  txId: string,
  disclose: readonly ReceiptPart[],
): Promise<string> {
  if (client.receipt === undefined) throw new ReceiptError('no_ledger', 'This ledger knows no receipts')
  try {
    return await client.receipt(txId, disclose)
  } catch (error) {
    if (error instanceof ReceiptError) throw error
    const isUnknown = Reflect.get(Object(error), 'code') === 'unknown_event'
    throw new ReceiptError(isUnknown ? 'unknown_event' : 'unavailable', errorMessage(error), error)
  }
}
