import { toldMessage } from 'deedbox/event-rules'
import type { Acknowledgement, Refusal } from '../acknowledgement.ts'
import { httpStatus } from './problem.ts'

/** The answer to a stored event on the wire: six fields of the published contract, plus ours. */
export function acknowledgementView(ack: Acknowledgement): Record<string, unknown> {
  return {
    ok: true,
    tx_id: ack.txId,
    payload_hash: ack.payloadHash,
    status: ack.status,
    duplicate: ack.duplicate,
    request_id: ack.requestId,
    index: ack.index,
    ...(ack.amends === undefined ? {} : { amends: ack.amends }),
  }
}

/** One result of a batch. `status` is the HTTP status that the event would have got alone. */
export function resultView(result: Acknowledgement | Refusal): Record<string, unknown> {
  if (result.ok) return { ...acknowledgementView(result), status: 202 }
  const { reason, message } = result
  return { ok: false, status: httpStatus(reason), reason, message: toldMessage(message) }
}
