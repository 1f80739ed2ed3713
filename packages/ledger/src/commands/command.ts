/** What the `deedbox` program lends to a command. */
export interface CommandTools {
  /** A bar on a terminal's standard error, silent elsewhere: how much of `total` is done, and of what. */
  progress(what: string, done: number, total: number): void
  /** Takes the bar away; to be called before anything else is printed. */
  progressEnd(): void
}

/**
 * One command: gets its arguments and resolves to the exit code, 0 when all is well.
 *
 * @throws LedgerError `invalid_usage` when it was called wrongly (exit code 2), any other code when it failed (1)
 */
export type LedgerCommand = (args: string[], tools: CommandTools) => Promise<number>
