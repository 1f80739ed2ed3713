import { LedgerError } from '../../packages/ledger/src/errors.ts'
import {
  CommitOutcomeUnknown,
  type LedgerStore,
  type StoreTransaction,
} from '../../packages/ledger/src/store/index.ts'

/** Where a fault strikes: a call of the transaction, or the commit itself. */
export type Step = Exclude<keyof StoreTransaction, 'ledgers' | 'createLedger'> | 'commit'

/**
 * `before`: the call fails and does nothing. `after`: it does its work and then fails, as when an answer is lost;
 * for a commit this is the case in which the events are stored and nobody knows.
 */
export interface Fault {
  step: Step
  when: 'before' | 'after'
  /** How often it strikes before it is over. */
  times: number
}

/** A store around a real one that fails on command. Only the failure is made up; everything else really happens. */
export class FaultyStore implements LedgerStore {
  readonly #real: LedgerStore
  #fault: Fault | undefined
  /** How often a fault has struck. */
  struck = 0

  constructor(real: LedgerStore) {
    this.#real = real
  }

  /** From now on this goes wrong. */
  arm(fault: Fault): void {
    this.#fault = { ...fault }
  }

  async transaction<T>(work: (tx: StoreTransaction) => Promise<T> | T): Promise<T> {
    if (this.#strikes('commit', 'before')) {
      const injected = this.#real.transaction(async tx => {
        await work(this.#wrapped(tx))
        throw failure('commit')
      })
      throw new CommitOutcomeUnknown(await injected.catch(error => error))
    }
    const result = await this.#real.transaction(tx => work(this.#wrapped(tx)))
    if (this.#strikes('commit', 'after')) throw new CommitOutcomeUnknown(failure('commit'))
    return result
  }

  reopen(): Promise<void> {
    return this.#real.reopen()
  }

  close(): Promise<void> {
    return this.#real.close()
  }

  #wrapped(tx: StoreTransaction): StoreTransaction {
    return new Proxy(tx, {
      get: (target, name) => {
        const call = Reflect.get(target, name, target) as (...args: unknown[]) => unknown
        return async (...args: unknown[]) => {
          if (this.#strikes(name as Step, 'before')) throw failure(String(name))
          const result = await call.apply(target, args)
          if (this.#strikes(name as Step, 'after')) throw failure(String(name))
          return result
        }
      },
    })
  }

  #strikes(step: Step, when: Fault['when']): boolean {
    const fault = this.#fault
    if (fault === undefined || fault.step !== step || fault.when !== when || fault.times === 0) return false
    fault.times--
    this.struck++
    return true
  }
}

function failure(step: string): LedgerError {
  return new LedgerError('storage_failed', `An injected failure of ${step}.`)
}
