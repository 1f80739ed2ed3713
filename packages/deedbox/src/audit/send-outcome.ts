import type { AuditEvent } from './audit-event.ts'
import type { LedgerResult } from './ledger-client.ts'
import type { Acknowledgement } from './outlet.ts'
import type { QueuedEvent } from './queued-event.ts'
import { SendError } from './send-error.ts'

/** Tells whoever waits for an event what became of it. */
export function tellOutcome(entry: QueuedEvent, outcome: LedgerResult | SendError): void {
  tellAttempt(entry, outcome)
  entry.onKept?.(!(outcome instanceof Error) && outcome.ok)
  entry.settle?.(outcome)
}

/** Tells whoever waits for the first attempt at an event what it came to. */
export function tellAttempt(entry: QueuedEvent, outcome: LedgerResult | Error): void {
  const { onAttempt } = entry
  entry.onAttempt = undefined
  onAttempt?.(outcome)
}

/** An automatic event for which nobody waits any more: it stays, but is not known to survive. */
export function released(entry: QueuedEvent): QueuedEvent {
  entry.onKept?.(false)
  entry.onKept = undefined
  return entry
}

/**
 * An explicit event as it waits.
 * @param onTold called when the outcome is known, before the promise is settled
 */
export function explicitEntry(
  event: AuditEvent,
  resolve: (acknowledgement: Acknowledgement) => void,
  reject: (error: unknown) => void,
  onTold: () => void,
): QueuedEvent {
  const settle = (outcome: LedgerResult | SendError): void => {
    onTold()
    // A ledger in this process may answer with an object whose members throw.
    try {
      if (outcome instanceof Error) reject(outcome)
      else if (outcome.ok) resolve(acknowledge(event, outcome))
      else reject(refusal(event, outcome))
    } catch (error) {
      reject(error)
    }
  }
  return { event, settle }
}

/** That a ledger took an event. */
export function acknowledge(event: AuditEvent, result: Extract<LedgerResult, { ok: true }>): Acknowledgement {
  return {
    status: 'accepted',
    txId: result.txId,
    index: result.index,
    payloadHash: result.payloadHash,
    duplicate: result.duplicate,
    requestId: event.requestId,
    idempotencyKey: event.idempotencyKey,
  }
}

/** That a ledger refused an event for good. */
export function refusal(event: AuditEvent, result: Extract<LedgerResult, { ok: false }>): SendError {
  const quota = result.status === 429
  return new SendError(
    quota ? 'quota_exceeded' : 'rejected',
    `The ledger refused the event (${result.reason}). It says: ${result.message}`,
    { reason: result.reason, status: result.status, idempotencyKey: event.idempotencyKey },
  )
}

/** That nothing is sent, because the quota is used up. */
export function quotaExceeded(event: AuditEvent, pausedUntil: number): SendError {
  const until = new Date(pausedUntil).toISOString()
  return new SendError('quota_exceeded', `The ledger's quota is used up; nothing is sent until ${until}`, {
    idempotencyKey: event.idempotencyKey,
  })
}

/** That there was no answer in time. */
export function timedOut(event: AuditEvent, timeout: number): SendError {
  return new SendError(
    'timeout',
    `The ledger did not acknowledge within ${timeout} ms; it may have the event. ` +
      'Sending again with the same idempotencyKey stores it once.',
    { idempotencyKey: event.idempotencyKey },
  )
}

/** That the instance was closed before there was an answer. */
export function closedEarly(event: AuditEvent): SendError {
  return new SendError('closed', 'This instance was closed before the ledger acknowledged the event', {
    idempotencyKey: event.idempotencyKey,
  })
}

/** That the ledger could not be opened. */
export function notOpened(event: AuditEvent, problem: string): SendError {
  return new SendError('no_ledger', `The ledger could not be opened: ${problem}`, {
    idempotencyKey: event.idempotencyKey,
  })
}

/** That there is no room for an event. */
export function queueFull(event: AuditEvent, size: number): SendError {
  return new SendError('queue_full', `The queue holds ${size} events and takes no more`, {
    idempotencyKey: event.idempotencyKey,
  })
}
