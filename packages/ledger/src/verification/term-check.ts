import type { EventColumns } from '../events/index.ts'
import { type SqliteInspection, segmentLength, segmentOf, segmentRange, termsOf } from '../store/index.ts'
import type { Findings } from './findings.ts'

/**
 * Compares table `event_terms` with the events: each of a full segment has exactly the terms of its own columns, and
 * the others have none. Otherwise a search would pass over an event that is there, and nobody would miss it.
 *
 * Segments are complete in themselves and no larger than memory, so each is compared when its last event was read.
 */
export class TermCheck {
  readonly #findings: Findings
  readonly #inspection: SqliteInspection
  readonly #ledgerStart: number
  #segment: number
  /** The terms of each event of the segment, by its place in it; null where one was read that says nothing sound. */
  #expected: (number[] | null)[] = []

  /** @param ledgerStart the position of the ledger's first event */
  constructor(findings: Findings, inspection: SqliteInspection, ledgerStart: number) {
    this.#findings = findings
    this.#inspection = inspection
    this.#ledgerStart = ledgerStart
    this.#segment = segmentOf(ledgerStart)
  }

  /** Takes note of an event, in the order of positions. Unless {@link expect} follows, its terms are not judged. */
  pass(position: number): void {
    for (; this.#segment < segmentOf(position); this.#segment++) this.#compare()
    this.#expected[position - segmentRange(this.#segment)[0]] = null
  }

  /** Says which columns the event at this position has, derived again from what was committed. */
  expect(position: number, columns: EventColumns): void {
    this.#expected[position - segmentRange(this.#segment)[0]] = termsOf(columns)
  }

  /** Compares what is left. To be called after the last event. */
  end(): void {
    let full = this.#segment
    if (this.#expected.length === segmentLength) this.#compare()
    else full--
    // Of the whole file: a file's first ledger is its only one of events, so no other ledger has terms.
    const beyond = this.#inspection.termsOutside(segmentOf(this.#ledgerStart), full)
    if (beyond > 0) {
      this.#findings.add(
        'index_mismatch',
        `Table event_terms has rows in segments that are not full: ${beyond}.`,
      )
    }
  }

  #compare(): void {
    const [start] = segmentRange(this.#segment)
    const expected = this.#expected
    for (const [term, position] of this.#inspection.terms(this.#segment)) {
      const terms = expected[position - start]
      if (terms === null) continue
      const at = terms?.indexOf(term) ?? -1
      if (at === -1) this.#report(position, 'has a row that the event knows nothing of')
      else terms?.splice(at, 1)
    }
    for (const [place, left] of expected.entries()) {
      if (left != null && left.length > 0) this.#report(start + place, 'lacks a row')
    }
    this.#expected = []
  }

  #report(position: number, what: string): void {
    const index = position - this.#ledgerStart
    this.#findings.add('index_mismatch', `Table event_terms ${what}: event ${index}.`, index)
  }
}
