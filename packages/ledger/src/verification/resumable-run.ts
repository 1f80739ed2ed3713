import type { LedgerRow } from '../store/index.ts'
import { misfit, type VerificationState } from './progress-state.ts'

/** Where a verification of stored data ended, as plain JSON: each ledger that it had come to. */
export interface VerificationProgress {
  format: 'deedbox-verification/v1'
  what: 'data'
  ledgers: VerificationState[]
}

/** Keeps the states of the ledgers that are verified in turn as one. */
export class ResumableRun {
  readonly #states = new Map<string, VerificationState>()
  readonly #save: ((progress: () => VerificationProgress) => void) | undefined

  /**
   * @param ledgers all that are to be verified
   * @throws LedgerError `invalid_option` when the progress is of something else
   */
  constructor(
    ledgers: readonly LedgerRow[],
    {
      resume,
      save,
    }: { resume?: VerificationProgress; save?: (progress: () => VerificationProgress) => void },
  ) {
    this.#save = save
    if (resume === undefined) return
    const { format, what, ledgers: states } = resume
    if (format !== 'deedbox-verification/v1' || what !== 'data' || !Array.isArray(states)) {
      throw misfit('it is not of a verification of stored data by this version')
    }
    for (const state of states) {
      if (!ledgers.some(({ origin }) => origin === state?.origin)) {
        throw misfit(`it is of another ledger, ${String(state?.origin)}`)
      }
      this.#states.set(state.origin, state)
    }
  }

  /** Where an earlier run ended in this ledger, if it had come to it. */
  stateOf({ origin }: LedgerRow): VerificationState | undefined {
    return this.#states.get(origin)
  }

  /** Takes the newest state of a ledger. */
  save({ origin }: LedgerRow, state: VerificationState): void {
    this.#states.set(origin, state)
    this.#save?.(() => ({
      format: 'deedbox-verification/v1',
      what: 'data',
      ledgers: [...this.#states.values()],
    }))
  }
}
