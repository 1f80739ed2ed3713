import type { Failure, JobRecord, RequestRecord } from './record.ts'

/** What the variables of a request are tracked by, as far as requests have to know it. */
export interface ScopeRule {
  /** Whether the answer waits for what it writes. */
  readonly isAwaited: boolean
}

/** What requests and jobs need of the tracker of their instance. */
export interface TrackingGate {
  /**
   * Writes the variables of a request or job by an awaiting rule, at once. Resolves to what it failed with, where the rule
   * has the request fail for it. Never rejects.
   */
  write(record: RequestRecord | JobRecord, rule: ScopeRule): Promise<Failure | undefined>
}

/** The rules of one request or job. Each writes once: when it is awaited, or else at the end. */
export class ScopeRules {
  readonly #all: ScopeRule[] = []
  readonly #begun = new Map<ScopeRule, Promise<Failure | undefined>>()

  add(rule: ScopeRule): void {
    if (!this.#all.includes(rule)) this.#all.push(rule)
  }

  /** Those by which nothing has been written yet. */
  get open(): readonly ScopeRule[] {
    return this.#all.filter(rule => !this.#begun.has(rule))
  }

  /** Whether there are open ones that the answer waits for. */
  get isAwaited(): boolean {
    return this.#all.some(rule => rule.isAwaited && !this.#begun.has(rule))
  }

  /** Writes by one rule, unless that has begun. */
  write(
    rule: ScopeRule,
    record: RequestRecord | JobRecord,
    gate: TrackingGate,
  ): Promise<Failure | undefined> {
    const begun = this.#begun.get(rule) ?? gate.write(record, rule)
    this.#begun.set(rule, begun)
    return begun
  }

  /** Writes by all that the answer waits for, at once. Resolves to the first failure. */
  async writeAwaited(record: RequestRecord, gate: TrackingGate): Promise<Failure | undefined> {
    const awaited = this.open.filter(rule => rule.isAwaited)
    const outcomes = await Promise.all(awaited.map(rule => this.write(rule, record, gate)))
    return outcomes.find(failure => failure !== undefined)
  }
}
