import type { Notices } from '../log/index.ts'
import { type AuditGate, type RequestRecord, runOutside } from '../request/index.ts'
import { errorMessage } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import type { AuditOutlet } from './outlet.ts'

/** How many responses waited for their events, and what came of it. */
export interface HeldResponses {
  /** Responses that waited. */
  readonly waited: number
  /** Of these: withheld and answered with 503, because the ledger did not acknowledge the event. */
  readonly refused: number
  /** Of these: sent although their event could not be kept. */
  readonly unkept: number
}

/** What the gate of one instance is made of. */
export interface ResponseGateSettings {
  readonly outlet: AuditOutlet
  readonly notices: Notices
  /** Makes the event of a request. */
  readonly build: (record: RequestRecord) => AuditEvent
  /**
   * Numbers an event that is going to be handed over. Not one that the response waits for until the ledger has it: it
   * may be withdrawn, and a number without an event looks like a loss.
   */
  readonly numbered: (event: AuditEvent) => AuditEvent
  readonly modeOf: AuditGate['modeOf']
  /** Whether requests have events at all. */
  readonly isAudited: boolean
  /** Whether there is anything that can acknowledge an event. */
  readonly hasLedger: boolean
  /** Milliseconds that a response waits at most. */
  readonly longest: number
}

/** The gate of an instance, with its counts. */
export interface ResponseGate extends AuditGate {
  stats(): HeldResponses
}

/** Milliseconds. */
export const defaultLongestHold = 5_000

/** Builds what decides for one instance whether a response may go. */
export function createResponseGate(settings: ResponseGateSettings): ResponseGate {
  const { outlet, notices, build, numbered, isAudited, hasLedger, longest } = settings
  const counts = { waited: 0, refused: 0, unkept: 0 }

  const keep = async (record: RequestRecord): Promise<boolean> => {
    try {
      if (await within(outlet.keep(numbered(build(record))), longest)) return true
    } catch (error) {
      notices.warn('audit_not_made', `The event of a request could not be made: ${errorMessage(error)}`)
    }
    counts.unkept++
    notices.warn('audit_unkept', 'Audit events could not be kept in time; their responses went out without', {
      unkept: counts.unkept,
    })
    return true
  }

  const send = async (record: RequestRecord): Promise<boolean> => {
    let problem = 'no ledger is configured'
    try {
      if (hasLedger) {
        await outlet.send(build(record), longest)
        return true
      }
    } catch (error) {
      problem = errorMessage(error)
    }
    counts.refused++
    notices.warn(
      'audit_refused',
      `Responses are withheld and answered with 503, because the ledger has not acknowledged their events: ${problem}`,
      { refused: counts.refused, request_id: record.requestId },
    )
    return false
  }

  return {
    modeOf: isAudited ? settings.modeOf : undefined,
    retryAfter: Math.ceil(longest / 1000),
    admit(record, mode) {
      if (!isAudited) return Promise.resolve(true)
      counts.waited++
      return runOutside(() => (mode === 'buffer' ? keep(record) : send(record)))
    },
    offer(record) {
      if (!isAudited) return
      try {
        runOutside(() => outlet.offer(numbered(build(record))))
      } catch (error) {
        notices.warn('audit_not_made', `The event of a request could not be made: ${errorMessage(error)}`)
      }
    },
    warnLate: () =>
      notices.warn(
        'audit_mode_late',
        'audit() was called after the response had begun and did nothing; call it before the first byte is written',
      ),
    stats: () => ({ ...counts }),
  }
}

/** What a promise resolves to, or `false` if that takes longer than the given milliseconds. */
async function within(promise: Promise<boolean>, longest: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), longest)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
