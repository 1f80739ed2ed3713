import { type Part, readErasure } from '@deedbox/tlog'
import type { Findings } from './findings.ts'
import type { Gap, LedgerAct } from './stretch-check.ts'

/** A {@link Redactions} as plain JSON. */
export interface RedactionsState {
  /** As `index part`. */
  erased: string[]
  gaps: Gap[]
}

/**
 * What is gone, and what may be (DESIGN §7.3): missing content is redacted only when a later leaf of the kind `erasure`
 * names its index and part (`readErasure` of tlog).
 */
export class Redactions {
  readonly #erased: Set<string>
  readonly #gaps: Gap[]
  /** Events of which a part is gone and everything that is gone was erased; after {@link judge}. */
  redacted = 0

  constructor(state?: RedactionsState) {
    this.#erased = new Set(state?.erased)
    this.#gaps = [...(state?.gaps ?? [])]
  }

  /** Takes note of an erasure leaf. What cannot be read names nothing. */
  addErasure({ index, payload }: LedgerAct): void {
    for (const { index: of, parts } of readErasure(index, payload)) {
      for (const part of parts) this.#erased.add(nameOf(of, part))
    }
  }

  addGaps(gaps: readonly Gap[]): void {
    this.#gaps.push(...gaps)
  }

  /** The events whose `server` part is gone, and with it their account of the idempotency key. */
  get withoutServer(): Set<number> {
    return new Set(this.#gaps.filter(gap => gap.parts.includes('server')).map(gap => gap.index))
  }

  /**
   * After the last event: says of each gap whether it may be.
   *
   * @param readAgain what is missing now; an erasure may have come between the reading of the row and that of the head
   */
  judge(findings: Findings, readAgain: (index: number) => Gap | undefined): void {
    for (const gap of this.#gaps) {
      const mayBe = gap.parts.every(part => this.#erased.has(nameOf(gap.index, part)))
      const { index, parts: gone, leftovers } = mayBe ? gap : (readAgain(gap.index) ?? { ...gap, parts: [] })
      const lost = gone.filter(part => !this.#erased.has(nameOf(index, part)))
      for (const part of lost) {
        findings.add(
          'content_missing',
          `The ${part} of event ${index} is gone, and no erasure names it.`,
          index,
        )
      }
      if (lost.length > 0) continue
      for (const detail of leftovers) {
        findings.add('index_mismatch', `${detail.replace(/\.$/, '')}, although it was erased.`, index)
      }
      if (gone.length > 0) this.redacted++
    }
  }

  get state(): RedactionsState {
    return { erased: [...this.#erased], gaps: this.#gaps }
  }
}

function nameOf(index: number, part: Part): string {
  return `${index} ${part}`
}
