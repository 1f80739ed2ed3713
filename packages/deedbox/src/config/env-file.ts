import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { ConfigurationProblem } from './problems.ts'

/** What a file of variables holds. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string>>
  readonly problems: readonly ConfigurationProblem[]
}

/** Reads a file of variables, if there is one. Node's parser reads it; what that one would skip is a problem. */
export function readEnvFile(path: string): EnvFile {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return { variables: {}, problems: [] }
    const isEncoding = code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
    return {
      variables: {},
      problems: [
        {
          code: 'bad_file',
          variable: path,
          problem: isEncoding ? 'is not in UTF-8' : `cannot be read (${String(code)})`,
          remedy: isEncoding
            ? 'Save it in UTF-8.'
            : 'Make it a file that this process may read, or remove it.',
        },
      ],
    }
  }
  // Of an empty value or a comment Node makes names such as `export A` and `#B`.
  const variables = Object.entries(parseEnv(text)).filter(([name]) => /^[\w.-]+$/.test(name))
  return {
    variables: Object.fromEntries(variables) as Record<string, string>,
    problems: badLines(path, text),
  }
}

const assignment = /^[ \t]*(?:export[ \t]+)?[\w.-]+[ \t]*=[ \t]*/

/** The lines that Node's parser would skip without a word, or read with another line. */
function badLines(path: string, text: string): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const lines = text.split(/\r?\n/)
  const report = (line: number, problem: string, remedy: string): void => {
    problems.push({ code: 'bad_file', variable: `${path}:${line}`, problem, remedy })
  }
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (/^\s*(?:#|$)/.test(line)) continue
    const start = assignment.exec(line)?.[0].length
    if (start === undefined) {
      report(at + 1, 'is no variable', 'Write it as NAME=value, or begin the line with #.')
      continue
    }
    if (start === line.length && !line.endsWith('=')) {
      report(at + 1, 'has blanks in place of a value', 'Remove them: Node reads the next line as the value.')
      continue
    }
    const quote = line[start]
    if (quote !== '"' && quote !== "'" && quote !== '`') continue
    const opened = at
    let rest = line.slice(start + 1)
    while (!rest.includes(quote) && at + 1 < lines.length) rest = lines[++at] ?? ''
    if (!rest.includes(quote)) {
      report(opened + 1, 'opens a quotation that nothing closes', `End the value with ${quote}.`)
      break
    }
    if (!/^\s*(?:#|$)/.test(rest.slice(rest.indexOf(quote) + 1)))
      report(
        at + 1,
        `has text behind the closing ${quote} of a value`,
        opened === at
          ? 'Remove it, or use another quotation mark.'
          : `Look whether the value of line ${opened + 1} was to end there.`,
      )
  }
  return problems
}
