import type { Chest, ContextEntry } from 'deedbox/chests'

/** A chest, and what its driver can do with the same rows by itself. */
export interface ChestWrites {
  readonly chest: Chest
  /** Before the clock starts: reads what the chest stored, in so many parts, makes a place like its own, and empties that. */
  prepare(parts: number, written: readonly (readonly ContextEntry[])[]): Promise<void>
  /** Writes one of these parts. */
  insert(part: number): Promise<unknown>
  close(): Promise<void>
}

/** Rows in so many parts, in their order. */
export function inParts<Row>(rows: readonly Row[], parts: number): Row[][] {
  const size = Math.ceil(rows.length / parts)
  return Array.from({ length: parts }, (_, n) => rows.slice(n * size, (n + 1) * size))
}
