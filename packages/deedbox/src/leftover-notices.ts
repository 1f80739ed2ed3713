import type { AuditLeftover } from './audit/index.ts'
import type { Notices } from './log/index.ts'

/** Says what becomes of audit events that no ledger has taken. @param what happens to the instance */
export function tellUndelivered(notices: Notices, what: string, { dropped, spooled }: AuditLeftover): void {
  if (dropped > 0) notices.warn('audit_undelivered', `${what} with undelivered audit events`, { dropped })
  if (spooled > 0) {
    notices.warn(
      'audit_spooled',
      `${what}, and ${spooled} audit events wait in the spool for the next process of this service`,
      { spooled },
    )
  }
}

/** Says what becomes of tracked variables that no chest has taken. @param what happens to the instance */
export function tellUnwritten(notices: Notices, what: string, { dropped, spooled }: AuditLeftover): void {
  if (dropped > 0)
    notices.warn('chest_unwritten', `${what} with tracked variables that no chest has taken`, { dropped })
  if (spooled > 0) {
    notices.warn(
      'chest_spooled',
      `${what}, and the tracked variables of ${spooled} requests wait in the spool for the next process of this service`,
      { spooled },
    )
  }
}
