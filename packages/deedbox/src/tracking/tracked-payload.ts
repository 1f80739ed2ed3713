import type { Serializer } from '../safety/index.ts'
import type { ContextEntry, TrackedRecord, TrackedValue } from './chest.ts'
import { contextEntry } from './context-entry.ts'

/** What of a record the text does not hold: the delivery has it. */
export type RecordFacts = Omit<TrackedRecord, 'id' | 'requestId'>

/**
 * The variables of one request as one text, secrets blanked: what a queue and a spool keep. It is a snapshot; what the
 * service changes afterwards is not in it.
 * @param written the texts of variables by name: those that are in it as they are now are left out, the others get into it
 */
export function trackedPayload(
  facts: RecordFacts,
  variables: readonly (readonly [string, unknown])[],
  serializer: Serializer,
  written?: Map<string, string>,
): string | undefined {
  const entries: string[] = []
  for (const [name, value] of variables) {
    const member = serializer.member(name, value)
    if (member === undefined || written?.get(name) === member) continue
    written?.set(name, member)
    entries.push(`{${member}}`)
  }
  if (entries.length === 0) return undefined
  return `${JSON.stringify(facts).slice(0, -1)},"entries":[${entries.join(',')}]}`
}

/**
 * The entries in such a text.
 * @throws Error for a text that is none
 */
export function entriesIn(payload: string, id: string, requestId: string): ContextEntry[] {
  const { entries, ...facts } = JSON.parse(payload) as RecordFacts & {
    readonly entries: readonly Record<string, TrackedValue>[]
  }
  const record: TrackedRecord = { id, requestId, ...facts }
  return entries.map((entry, position) => {
    const [name = ''] = Object.keys(entry)
    return contextEntry(record, position, name, entry[name] ?? null)
  })
}
