import { TurnQueue } from '../request/index.ts'
import { errorMessage } from '../safety/index.ts'
import type { LineFacts } from './filters.ts'
import { handLine, withinSink } from './inside-sink.ts'
import type { LineFormat } from './line.ts'
import type { LogSink } from './sink.ts'

/** A line that is rendered at the end of the turn; must not depend on what happens until then. */
export interface LazyLine {
  render(output: Output): string
}

/** Which lines an output takes, and how they look there. */
export interface OutputSettings {
  readonly format: LineFormat
  /** Whether request lines are mozlog's summaries. */
  readonly isSummary: boolean
  /** The number of the least severe level that is taken. */
  readonly least: number
  readonly accepts: ((line: LineFacts) => boolean) | undefined
}

/** What an output reports. */
export interface OutputWatcher {
  wrote(): void
  /** Told how many lines were lost, and why; 0 when they are still kept. */
  lost(lines: number, problem: string): void
}

/** One sink with its format and its filter. A sink that fails costs its own lines, and nobody else's. (FA-10, FA-46) */
export class Output {
  readonly format: LineFormat
  readonly isSummary: boolean
  readonly least: number
  readonly #accepts: ((line: LineFacts) => boolean) | undefined
  readonly #sink: LogSink
  readonly #watcher: OutputWatcher
  readonly #queue: TurnQueue<string | LazyLine>
  #unrendered = false
  #isDrained = true

  constructor(sink: LogSink, settings: OutputSettings, watcher: OutputWatcher) {
    this.format = settings.format
    this.isSummary = settings.isSummary
    this.least = settings.least
    this.#accepts = settings.accepts
    this.#sink = sink
    this.#watcher = watcher
    this.#queue = new TurnQueue(lines => this.#handAll(lines))
  }

  /** Whether a line goes here. A filter that throws takes it: a line too many is better than one that is missing. */
  takes(facts: Omit<LineFacts, 'fields'>, fields: LineFacts['fields']): boolean {
    if (facts.number < this.least) return false
    if (this.#accepts === undefined) return true
    try {
      const { level, number, logger, type, message } = facts
      const answer: unknown = this.#accepts({ level, number, logger, type, message, fields })
      if (answer instanceof Promise) answer.catch(() => undefined)
      return Boolean(answer)
    } catch (error) {
      this.#watcher.lost(0, `a filter failed: ${errorMessage(error)}`)
      return true
    }
  }

  /** A finished line goes to the sink at once, unless one that stands before it is still to be rendered. */
  write(line: string | LazyLine): void {
    this.#isDrained = false
    if (typeof line === 'string' && !this.#unrendered) {
      this.#hand(line)
      // Only so that the sink is flushed when the turn ends.
      this.#queue.add('')
      return
    }
    this.#unrendered = true
    this.#queue.add(line)
  }

  /** Writes out what waits here and in the sink, before it returns. Never throws. */
  flush(): void {
    this.#queue.drain()
    this.#flushSink()
  }

  /** Whether a flush is all that is needed: nothing was written since the last {@link drain}, or nothing is written later. */
  get isDrained(): boolean {
    return this.#isDrained || this.#sink.drain === undefined
  }

  /**
   * The same for what a sink writes later: resolves once all that it took is written. Never rejects. Does nothing
   * where nothing was written since: the work of a sink would keep a process alive that asks for this at its end.
   */
  async drain(): Promise<void> {
    this.flush()
    if (this.#isDrained) return
    this.#isDrained = true
    try {
      await this.#sink.drain?.()
    } catch (error) {
      this.#watcher.lost(0, errorMessage(error))
    }
  }

  /** Writes out all and lets go of the sink. Never rejects. */
  async close(): Promise<void> {
    await this.drain()
    try {
      await this.#sink.close?.()
    } catch (error) {
      this.#watcher.lost(0, errorMessage(error))
    }
  }

  #handAll(lines: readonly (string | LazyLine)[]): void {
    this.#unrendered = false
    for (const line of lines) if (line !== '') this.#hand(line)
    this.#flushSink()
  }

  #hand(line: string | LazyLine): void {
    try {
      handLine(typeof line === 'string' ? line : line.render(this), this.#sink)
      this.#watcher.wrote()
    } catch (error) {
      this.#watcher.lost(1, errorMessage(error))
    }
  }

  #flushSink(): void {
    try {
      withinSink(() => this.#sink.flush?.())
    } catch (error) {
      this.#watcher.lost(0, errorMessage(error))
    }
  }
}
