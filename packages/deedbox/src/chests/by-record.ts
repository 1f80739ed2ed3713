import type { ContextEntry } from '../tracking/index.ts'

/** Entries by their requests, in the order in which those come. */
export function byRecord(entries: readonly ContextEntry[]): ContextEntry[][] {
  return [...Map.groupBy(entries, ({ record }) => record.id).values()]
}
