import type { LogEntry, RequestFacts } from './log-entry.ts'

/** Requests that are collected at once, and the bytes of all their lines, at most. */
const mostOpen = 10_000
const mostBytes = 64 * 1024 * 1024

/** What is shown together. */
export interface LogGroup {
  /** `undefined` for a line outside of any request. */
  readonly requestId: string | undefined
  readonly entries: readonly LogEntry[]
  /** What the line says that ended it; `undefined` for a request whose end was not seen. */
  readonly end: RequestFacts | undefined
  /** Whether further lines of the request stand elsewhere: it was open for too long, or they came after its end. */
  readonly state: 'whole' | 'part' | 'late'
}

interface OpenGroup {
  entries: LogEntry[]
  bytes: number
}

/**
 * Collects the lines of each request until the line that ends it. Beyond 10,000 open requests or 64 MiB of their lines,
 * the one that is open longest is given out as it is.
 */
export class LogGroups {
  readonly #open = new Map<string, OpenGroup>()
  readonly #parts = new Set<string>()
  readonly #ended = new Set<string>()
  #bytes = 0

  /** Takes the next line. @returns what is complete now */
  add(entry: LogEntry): LogGroup[] {
    const { requestId, request: end } = entry
    if (requestId === undefined)
      return [{ requestId: undefined, entries: [entry], end: undefined, state: 'whole' }]
    let group = this.#open.get(requestId)
    if (group === undefined) {
      // Without a ledger, audit events are lines that come after the request's own; nothing will end them.
      if (this.#ended.has(requestId) && entry.fields.type === 'audit') {
        return [{ requestId, entries: [entry], end: undefined, state: 'late' }]
      }
      group = { entries: [], bytes: 0 }
      this.#open.set(requestId, group)
    }
    group.entries.push(entry.kept())
    group.bytes += entry.bytes.length
    this.#bytes += entry.bytes.length
    if (end !== undefined) return [this.#close(requestId, group, end)]
    const out: LogGroup[] = []
    while (this.#open.size > mostOpen || this.#bytes > mostBytes) {
      const [longest] = this.#open
      if (longest === undefined) break
      out.push(this.#close(...longest, undefined, true))
    }
    return out
  }

  /** What is still open, in the order in which it began. */
  end(): LogGroup[] {
    return [...this.#open].map(([requestId, group]) => this.#close(requestId, group, undefined))
  }

  #close(requestId: string, group: OpenGroup, end: RequestFacts | undefined, isCut = false): LogGroup {
    this.#open.delete(requestId)
    this.#bytes -= group.bytes
    const state = this.#parts.delete(requestId) || isCut ? 'part' : 'whole'
    if (isCut) remember(this.#parts, requestId)
    if (end !== undefined) remember(this.#ended, requestId)
    return { requestId, entries: group.entries, end, state }
  }
}

/** The marks are for readers, and memory is not to grow with them: the oldest one is forgotten. */
function remember(ids: Set<string>, requestId: string): void {
  ids.delete(requestId)
  ids.add(requestId)
  if (ids.size <= mostOpen) return
  for (const oldest of ids) {
    ids.delete(oldest)
    return
  }
}
