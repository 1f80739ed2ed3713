/** Something a workflow does: a script, an action, or what is given to one. */
export interface WorkflowCommand {
  readonly text: string
  /** What its step and its job have after `if:`. */
  readonly conditions: readonly string[]
}

/** Whether something happens; `undefined` where its words do not tell. */
export type Told = boolean | undefined

const doing = /^\s*(?:- )?(run|script|before_script|after_script|command|uses|with):(.*)$/

/** What the steps of a workflow do: names, variables and conditions do nothing. */
export function commandsOfWorkflow(text: string): WorkflowCommand[] {
  const lines = text.split('\n')
  const commands: WorkflowCommand[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, key, value = ''] = doing.exec(lines[at]!) ?? []
    if (key === undefined) continue
    const column = columnOf(lines[at]!)
    let end = at + 1
    while (end < lines.length && (indentOf(lines[end]!) > column || isItemAt(lines[end]!, column))) end++
    const inside = lines.slice(at + 1, end).filter(line => !/^\s*(- )?name:/.test(line))
    const body = [value.trim(), ...inside].join('\n').replace(/\\\n\s*/g, ' ')
    const conditions = conditionsOf(lines, at)
    if (!conditions.some(condition => /^(\$\{\{\s*)?false\b/.test(condition))) {
      commands.push({ text: key === 'uses' ? `uses: ${body.trim()}` : body, conditions })
    }
    at = end - 1
  }
  return commands
}

/** What stands after `if:` beside a line and beside what it is in. */
function conditionsOf(lines: readonly string[], at: number): string[] {
  const found: string[] = []
  let start = at
  let column = columnOf(lines[at]!)
  for (;;) {
    let end = start + 1
    while (start > 0 && !isItemOf(lines[start]!, column) && columnOf(lines[start - 1]!) >= column) start--
    while (end < lines.length && indentOf(lines[end]!) >= column) end++
    for (const line of lines.slice(start, end)) {
      const [, condition] = /^\s*(?:- )?if:\s*(.*)$/.exec(line) ?? []
      if (condition !== undefined && columnOf(line) === column) found.push(condition)
    }
    const depth = indentOf(lines[start]!)
    start = lines.findLastIndex(
      (line, i) => i < start && indentOf(line) < Math.max(depth, 1) && !isItem(line),
    )
    if (start < 0 || depth === 0) return found
    column = columnOf(lines[start]!)
  }
}

/** Whether something happens for main, and for tags, by one condition. */
export function placesOf(condition: string): { readonly main: Told; readonly tags: Told } {
  const tags = /refs\/tags|ref_type\s*==\s*'tag'|CI_COMMIT_TAG/.test(condition)
  const main = /refs\/heads\/(main|master|trunk)|ref_name\s*==\s*'(main|master|trunk)'|default_branch/.test(
    condition,
  )
  if (/!\s*(startsWith|contains)|!=\s*'(refs|tag|main|master|push)/.test(condition))
    return { main: undefined, tags: undefined }
  if (main && tags) return condition.includes('||') ? { main, tags } : { main: undefined, tags: undefined }
  if (main || tags) return { main, tags }
  const isEach =
    /^(\$\{\{)?\s*(true|(always|success)\(\)|github\.event_name\s*(==\s*'push'|!=\s*'(pull_request|schedule|workflow_dispatch)'))\s*(\}\})?$/.test(
      condition.replace(/^"(.*)"$/, '$1'),
    )
  return isEach ? { main: true, tags: true } : { main: undefined, tags: undefined }
}

/** Both, as far as it is told. */
export function both(a: Told, b: Told): Told {
  if (a === false || b === false) return false
  return a === undefined || b === undefined ? undefined : true
}

/** One of them, as far as it is told. */
export function either(all: readonly Told[]): Told {
  if (all.includes(true)) return true
  return all.includes(undefined) ? undefined : false
}

function isItem(line: string): boolean {
  return /^\s*- /.test(line)
}

/** Whether a line is an item of the list that a key in this column has. */
function isItemAt(line: string, column: number): boolean {
  return isItem(line) && indentOf(line) === column
}

/** Whether a line begins the item whose keys stand in this column. */
function isItemOf(line: string, column: number): boolean {
  return isItem(line) && columnOf(line) === column
}

/** Where the key of a line stands, behind the sign of an item. */
function columnOf(line: string): number {
  return /^\s*(- +)?/.exec(line)![0].length
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}
