/** Told how many lines were lost, and why; 0 when they are still kept. Must not throw. */
export type LossListener = (lines: number, problem: string) => void

/** Where finished lines go. */
export interface LogSink {
  /**
   * Takes one line: a JSON object with its line break. What it throws is reported on stderr and does not reach
   * the service. (FA-10)
   */
  write(line: string): void
  /**
   * Writes out what is buffered, before it returns. Called when the lines of one turn of the event loop have been
   * handed over, at exit, and on signals.
   */
  flush?(): void
  /**
   * Resolves once everything that was taken so far is where it belongs; for sinks that need longer than a call.
   * Must not reject. (FA-53)
   */
  drain?(): Promise<void>
  /** Writes out what is left and lets go of what it holds. Takes no line afterwards. Must not reject. */
  close?(): void | Promise<void>
  /** Called once by the log that takes the sink, for losses that `write` and `flush` do not throw. (FA-10) */
  onLoss?(listener: LossListener): void
}

/** One of the process's own streams. */
export type StandardStream = 'stderr' | 'stdout'
