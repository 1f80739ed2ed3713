import { type SqliteInspection, segmentLength, segmentOf } from '../store/index.ts'

/** Events of one stretch of verification: some whole segments of the search index. */
export const stretchLength: number = 4 * segmentLength

/**
 * Compares one full segment of table `event_terms` with the events in it: each has exactly the terms of its own columns.
 * Otherwise a search would pass over an event that is there, and nobody would miss it. A segment is complete in itself.
 *
 * @param first the position of the segment's first event
 * @param expected the terms of each event of the segment, by its place in it; null where one was read that says
 *   nothing sound. What is matched is taken out.
 * @param report gets the place in the segment and what is wrong
 */
export function compareTerms(
  inspection: SqliteInspection,
  first: number,
  expected: readonly (number[] | null)[],
  report: (place: number, what: string) => void,
): void {
  const { terms, positions } = inspection.terms(segmentOf(first))
  for (const [i, term] of terms.entries()) {
    const place = Number(positions[i]) - first
    const wanted = expected[place]
    if (wanted === null) continue
    const at = wanted?.indexOf(term as number) ?? -1
    if (at === -1) report(place, 'has a row that the event knows nothing of')
    else wanted?.splice(at, 1)
  }
  for (const [place, left] of expected.entries()) {
    if (left !== null && left.length > 0) report(place, 'lacks a row')
  }
}
