import type { Chest, ContextEntry } from '../tracking/index.ts'

/** A chest that keeps what it is given in the test's own process. */
export interface RecordingChest extends Chest {
  readonly entries: readonly ContextEntry[]
  /** The tuples of one request, as JSON has them. */
  of(requestId: string): unknown[]
}

/**
 * Makes one.
 * @param before runs before anything is kept, with what is to be; what it throws, or rejects with, the chest fails with
 */
export function recordingChest(
  name: string,
  before?: (entries: readonly ContextEntry[]) => unknown,
): RecordingChest {
  const entries: ContextEntry[] = []
  return {
    id: `Recording(name=${name})`,
    queue: { linger: 0 },
    entries,
    of: requestId =>
      JSON.parse(JSON.stringify(entries.filter(entry => entry.record.requestId === requestId))),
    async write(written) {
      await before?.(written)
      entries.push(...written)
    },
    check: async () => [],
    close: async () => {},
  }
}
