import type { LineOutput } from './line-output.ts'
import type { LogEntry } from './log-entry.ts'
import { type LogGroup, LogGroups } from './log-groups.ts'
import { type PrettyLook, prettyEntry } from './log-pretty.ts'
import { entryText, type Paint, printable, requestText } from './log-text.ts'
import { timeText } from './log-times.ts'

/** How lines are shown. */
export interface ShowOptions {
  readonly style: 'pretty' | 'text' | 'json'
  readonly paint: Paint
  readonly look: PrettyLook
  /** Whether a person's terminal shows them. */
  readonly isTerminal: boolean
  readonly isGrouped: boolean
  /** Called before something is written. */
  readonly beforeOutput: () => void
}

/** Writes entries as the options want them. */
export class LogShow {
  readonly #output: LineOutput
  readonly #options: ShowOptions
  readonly #groups: LogGroups | undefined
  #day = ''

  constructor(output: LineOutput, options: ShowOptions) {
    this.#output = output
    this.#options = options
    this.#groups = options.isGrouped ? new LogGroups() : undefined
  }

  /** Shows entries, or collects them until their request is complete. Stops when nobody reads any more. */
  async add(entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      if (this.#output.gone.aborted) return
      if (this.#groups === undefined) this.#addEntry(entry, false)
      else for (const group of this.#groups.add(entry)) this.#addGroup(group)
      if (this.#output.isFull) await this.#flush()
    }
    await this.#flush()
  }

  /** Shows what is still collected. */
  async end(): Promise<void> {
    for (const group of this.#groups?.end() ?? []) {
      if (this.#output.gone.aborted) return
      this.#addGroup(group)
      if (this.#output.isFull) await this.#flush()
    }
    await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#output.isEmpty) return
    this.#options.beforeOutput()
    await this.#output.flush()
  }

  #addGroup(group: LogGroup): void {
    const isNamed = group.requestId !== undefined && this.#options.style !== 'json'
    const [first] = group.entries
    if (isNamed && this.#options.style === 'pretty' && first !== undefined) this.#addDay(first)
    if (isNamed) this.#output.add(headText(group, this.#options.paint))
    for (const entry of group.entries) this.#addEntry(entry, isNamed)
  }

  #addEntry(entry: LogEntry, isInGroup: boolean): void {
    const { style, paint, look, isTerminal } = this.#options
    if (style === 'json') {
      // In a string of JSON the escapes mean what they stand for, so the line is the same to whoever copies it.
      this.#output.add(isTerminal ? printable(entry.bytes.toString('utf8')) : entry.bytes)
      this.#output.add('\n')
      return
    }
    if (style === 'pretty') {
      this.#addDay(entry)
      this.#output.add(prettyEntry(entry, look, isInGroup ? 2 : 0))
      return
    }
    const text = entryText(entry, { paint, isMultiLine: false, withoutRequestId: isInGroup })
    this.#output.add(isInGroup ? `  ${text}` : text)
  }

  /** The rows of an entry have the time of day only: the day stands above where it changes. */
  #addDay({ time }: LogEntry): void {
    if (time === undefined) return
    const day = timeText(time).slice(0, 10)
    if (day === this.#day) return
    this.#day = day
    this.#output.add(`${this.#options.paint('dim', day)}\n`)
  }
}

/** The line above the lines of a request. */
function headText({ requestId = '', entries, end, state }: LogGroup, paint: Paint): string {
  const count = entries.length === 1 ? '1 line' : `${entries.length} lines`
  const unended = state === 'late' ? 'after its end' : 'end not seen'
  const what = end === undefined ? unended : requestText(end, paint)
  const part = state === 'part' ? ', not all of them' : ''
  return `${paint('bold', printable(requestId))} ${what} ${paint('dim', `(${count}${part})`)}\n`
}
