import { setTimeout } from 'node:timers/promises'
import {
  type Chest,
  ChestError,
  type ContextEntry,
  contextEntry,
  type ReadableChest,
  type TrackedRecord,
  type TrackedValue,
} from 'deedbox/chests'
import { uuid7 } from '../../packages/deedbox/src/request/index.ts'

let made = 0

/** A request as chests get it. */
export function aRecord(facts: Partial<TrackedRecord> = {}): TrackedRecord {
  made++
  return {
    id: uuid7(),
    requestId: `request-${made}`,
    timestamp: Date.UTC(2026, 0, 31, 12) * 1_000 + made,
    service: 'shop',
    env: 'test',
    route: '/items/:id',
    method: 'GET',
    status: 200,
    error: null,
    ...facts,
  }
}

/** The variables of a request as chests get them. */
export function entriesOf(
  record: TrackedRecord,
  variables: readonly (readonly [name: string, value: TrackedValue])[],
): ContextEntry[] {
  return variables.map(([name, value], position) => contextEntry(record, position, name, value))
}

/** What two lists of entries are compared by where the order says nothing. */
export function sorted(
  entries: readonly { readonly name: string; readonly value: TrackedValue; readonly requestId: string }[],
): string[] {
  return entries.map(({ name, value, requestId }) => JSON.stringify([requestId, name, value])).sort()
}

/** Writes as the delivery does: what fails and may work later is tried again. */
export async function writeUntilTaken(chest: Chest, entries: readonly ContextEntry[]): Promise<void> {
  for (const last = performance.now() + 30_000; ; ) {
    try {
      return await chest.write(entries)
    } catch (error) {
      if ((error instanceof ChestError && error.code === 'refused') || performance.now() > last) throw error
      await setTimeout(5 + 20 * Math.random())
    }
  }
}

/**
 * Waits until something is true.
 * @param what it is, in words, where the condition does not say it
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string = String(condition),
): Promise<void> {
  const last = performance.now() + 60_000
  while (!(await condition())) {
    if (performance.now() > last) throw new Error(`never came true: ${what}`)
    await setTimeout(10)
  }
}

/** A chest that a harness says is readable. */
export function readable(chest: Chest): ReadableChest {
  if ('find' in chest && 'lease' in chest) return chest as ReadableChest
  throw new Error(`${chest.id} cannot be read`)
}
