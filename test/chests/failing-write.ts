import assert from 'node:assert/strict'
import { type Chest, ChestError, type ContextEntry } from 'deedbox/chests'
import { aRecord, entriesOf } from './entries.ts'

/** The error of a write, which has to fail with one. Default: of one entry. */
export async function failureOf(chest: Chest, entries?: readonly ContextEntry[]): Promise<ChestError> {
  const error = await chest.write(entries ?? entriesOf(aRecord(), [['n', 1]])).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert(error instanceof ChestError, `a chest error was expected, not ${String(error)}`)
  return error
}
