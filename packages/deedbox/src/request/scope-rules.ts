import type { Failure, JobRecord, RequestRecord } from './record.ts'

/** What the variables of a request are tracked by, as far as requests have to know it. */
export interface ScopeRule {
  /** Whether the answer waits for what it writes. */
  readonly isAwaited: boolean
}

/** A rule in one request or job, and what the tracker keeps from one write of it to the next. */
export interface RuleInUse {
  readonly rule: ScopeRule
  /** The id that its entries carry, once that was made. */
  requestId: string | undefined
  /** The variables as they were written last, by name. */
  readonly written: Map<string, string>
}

/** What requests and jobs need of the tracker of their instance. */
export interface TrackingGate {
  /**
   * Writes the variables of a request or job by an awaiting rule at once, those that are written already only if they have
   * changed. Resolves to what it failed with, where the rule has the request fail for it. Never rejects.
   */
  write(record: RequestRecord | JobRecord, inUse: RuleInUse): Promise<Failure | undefined>
}

/** The rules of one request or job. What each has not written when it is awaited it writes at the end. */
export class ScopeRules {
  readonly #inUse = new Map<ScopeRule, RuleInUse>()
  readonly #writing = new Set<Promise<Failure | undefined>>()

  add(rule: ScopeRule): void {
    if (!this.#inUse.has(rule)) this.#inUse.set(rule, { rule, requestId: undefined, written: new Map() })
  }

  get inUse(): readonly RuleInUse[] {
    return [...this.#inUse.values()]
  }

  /** Whether there are rules that the answer waits for. */
  get isAwaited(): boolean {
    return this.inUse.some(({ rule }) => rule.isAwaited)
  }

  /**
   * Writes by one rule, or by all that the answer waits for, at once, and waits for what is on its way already too. Resolves
   * to the first failure.
   */
  async write(
    record: RequestRecord | JobRecord,
    gate: TrackingGate,
    by?: ScopeRule,
  ): Promise<Failure | undefined> {
    for (const inUse of this.inUse) {
      if (by === undefined ? !inUse.rule.isAwaited : inUse.rule !== by) continue
      const writing = gate.write(record, inUse)
      this.#writing.add(writing)
      void writing.then(() => this.#writing.delete(writing))
    }
    const outcomes = await Promise.all(this.#writing)
    return outcomes.find(failure => failure !== undefined)
  }
}
