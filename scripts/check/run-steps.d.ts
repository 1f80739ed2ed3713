/** One call of Node: its arguments, and what to print above its output if it fails. */
export interface Command {
  args: string[]
  label?: string
}

/** One check: all of its commands run, and it passes if each exits with 0. */
export interface Step {
  name: string
  /** What it looks at, on the heading line. */
  about: string
  commands: Command[]
}

/**
 * Runs every step, also behind a failed one, with the Node that runs this and no shell.
 * Prints a heading and a result line for each, between them the output of its failing commands, and a summary last.
 * Resolves to the names of the failed steps.
 */
export function runSteps(steps: Step[], root: string, print: (line: string) => void): Promise<string[]>
