import { type Check, type CheckMessage, check, error } from '../checks/index.ts'
import type { Deedbox } from '../instance.ts'

/** The parts of this package, each as a check without which the service is ready all the same. (Gap 12) */
export function ownChecks(box: Deedbox): Check[] {
  return [check('check_outbox', () => outbox(box), { readiness: false })]
}

function outbox(box: Deedbox): CheckMessage[] {
  const { dropped } = box.stats().audit
  return dropped === 0 ? [] : [error(`${dropped} audit events were dropped.`, { id: 'deedbox.outbox.E001' })]
}
