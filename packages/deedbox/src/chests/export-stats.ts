import { type CheckMessage, error, warning } from '../checks/index.ts'

/** What an exporter of this process did so far. Times are milliseconds since 1970. */
export interface ExporterStats {
  readonly name: string
  /** Whether it is started. */
  readonly running: boolean
  /** When the last run began. */
  readonly lastRun: number | null
  /** When a run last ended well; one that found another exporter at work did. */
  readonly lastSuccess: number | null
  /** Why the last run failed; `null` if it did not. */
  readonly lastError: string | null
  /** Runs that failed. */
  readonly failed: number
  /** Entries that the target confirmed and that were deleted. */
  readonly moved: number
  /** Entries that the target refused, and that are still in the chest. */
  readonly refused: number
  /** Entries that were in the chest when a run of this process last counted; `null` before. */
  readonly backlog: number | null
}

/** What is wrong with an exporter, by what it knows of itself. (Gap 12) */
export function exportMessages({
  name,
  running,
  lastRun,
  lastSuccess,
  lastError,
  refused,
}: ExporterStats): CheckMessage[] {
  const messages: CheckMessage[] = []
  if (lastError !== null) {
    const well =
      lastSuccess === null ? 'None has ended well so far' : `The last good one ended ${at(lastSuccess)}`
    messages.push(
      error(`The last run of ${name} failed: ${lastError}. ${well}.`, {
        id: 'deedbox.export.E001',
        hint: 'Nothing is lost: the entries are where they were, and the next run goes on.',
      }),
    )
  }
  if (refused > 0) {
    messages.push(
      warning(`The target of ${name} refused entries that are still in the chest: ${refused}.`, {
        id: 'deedbox.export.W002',
      }),
    )
  }
  if (!running && lastRun === null) {
    messages.push(
      warning(`${name} was neither started nor run.`, {
        id: 'deedbox.export.W003',
        hint: 'Call its start().',
      }),
    )
  }
  return messages
}

function at(time: number): string {
  return new Date(time).toISOString()
}
