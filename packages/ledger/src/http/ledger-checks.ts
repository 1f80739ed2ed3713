import {
  type Check,
  type CheckMessage,
  check,
  diskSpace,
  error,
  eventLoopDelay,
  warning,
} from 'deedbox/health'
import { isForGood } from '../errors.ts'
import type { Ledger } from '../ledger.ts'

/**
 * What has to be well for a ledger to do its work, and what an operator should know.
 * @param folder where the database is
 */
export function ledgerChecks(ledger: Ledger, folder: string): Check[] {
  return [
    check('database', () => database(ledger)),
    check('writer', () => writer(ledger)),
    check('guard', () => guard(ledger)),
    // Only a write shows that writing works again, and none would come where failures took the requests away.
    check('last_write', () => lastWrite(ledger), { readiness: false }),
    // Without the key all goes on until the next start; and a disk that is nearly full still takes events.
    check('signing_key', () => signingKey(ledger), { readiness: false }),
    diskSpace(folder, { name: 'disk', warning: '1 GB', error: '100 MB', readiness: false }),
    eventLoopDelay({ name: 'event_loop', warning: 250, error: 5_000, readiness: false }),
  ]
}

function database(ledger: Ledger): CheckMessage[] {
  try {
    ledger.head()
    return []
  } catch (cause) {
    return [error(`The database cannot be read: ${String(cause)}`, { id: 'deedbox.ledger.E001' })]
  }
}

function writer(ledger: Ledger): CheckMessage[] {
  const { failure } = ledger
  return failure !== undefined && isForGood(failure)
    ? [error(`Nothing can be written: ${failure.message}`, { id: 'deedbox.ledger.E002' })]
    : []
}

function lastWrite(ledger: Ledger): CheckMessage[] {
  const { failure } = ledger
  return failure === undefined || isForGood(failure)
    ? []
    : [error(`The last write failed: ${failure.message}`, { id: 'deedbox.ledger.E004' })]
}

function guard(ledger: Ledger): CheckMessage[] {
  return ledger.warnings.map(message => warning(message, { id: 'deedbox.ledger.W001' }))
}

function signingKey(ledger: Ledger): CheckMessage[] {
  return ledger.ledgersWithoutKey().map(name =>
    error(`The signing key of the ledger ${name} is gone. It signs on, but would not open again.`, {
      id: 'deedbox.ledger.E003',
      hint: 'Put the key back into the keys folder, or set DEEDBOX_SIGNING_KEY, before the next start.',
    }),
  )
}
