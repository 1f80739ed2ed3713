import { parseArgs } from 'node:util'
import { ByteProgress } from './byte-progress.ts'
import { LineOutput } from './line-output.ts'
import type { LogEntry } from './log-entry.ts'
import { standardInput } from './log-files.ts'
import { filterOptions, type LineChoice, readFilters } from './log-filters.ts'
import { LastEntries } from './log-last.ts'
import { mergedByTime } from './log-merge.ts'
import { prettyLook } from './log-pretty.ts'
import { type ReadingHooks, readChosen } from './log-reading.ts'
import { LogShow } from './log-show.ts'
import { followFiles } from './log-tail.ts'
import { painter } from './log-text.ts'
import { logsHelp } from './logs-help.ts'
import { oneOf } from './one-of.ts'
import { UsageError } from './usage-error.ts'

const options = {
  ...filterOptions,
  follow: { type: 'boolean', short: 'f' },
  last: { type: 'string', short: 'n' },
  merge: { type: 'boolean' },
  group: { type: 'boolean' },
  output: { type: 'string' },
  color: { type: 'string' },
  help: { type: 'boolean' },
} as const

/** Lines that --last keeps in memory, at most, and how many --follow begins with. */
const mostLast = 10_000
const firstLines = 10

/** `deedbox logs`. Resolves to the exit code. @throws UsageError */
export async function logs(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const { stdout, stdin, stderr, env } = process
  if (values.help) {
    stdout.write(logsHelp)
    return 0
  }
  if (positionals.length === 0 && stdin.isTTY) {
    throw new UsageError('Name log files, or pipe lines in. "deedbox logs --help" shows how.')
  }
  const files = positionals.length === 0 ? [standardInput] : positionals
  const choice = readFilters(values, Date.now())
  const isTerminal = stdout.isTTY === true
  const style = oneOf('--output', values.output, ['pretty', 'text', 'json'], isTerminal ? 'pretty' : 'json')
  const color = oneOf('--color', values.color, ['auto', 'always', 'never'], 'auto')
  // Standard input is read as it comes anyway.
  const isFollowing = values.follow === true && positionals.length > 0
  if (isFollowing && values.merge) {
    throw new UsageError('--merge orders what is there; --follow shows lines as they come.')
  }
  if (isFollowing && files.includes(standardInput)) {
    throw new UsageError('--follow with files is for files alone, and standard input is not one.')
  }
  const last = readLast(values.last) ?? (isFollowing && values.since === undefined ? firstLines : undefined)

  const output = new LineOutput(stdout)
  const progress = new ByteProgress()
  const look = prettyLook(color, stdout, env)
  const show = new LogShow(output, {
    style,
    paint: painter(look.palette !== undefined),
    look,
    isTerminal,
    isGrouped: values.group === true,
    beforeOutput: () => progress.clear(),
  })
  const tell = (sentence: string): void => {
    progress.clear()
    stderr.write(`deedbox: ${sentence}\n`)
  }
  let failures = 0
  const hooks: ReadingHooks = {
    onBytes: count => progress.add(count),
    onProblem: ({ message }) => {
      failures++
      tell(message)
    },
  }
  const kept = last === undefined ? undefined : new LastEntries(last)
  const take = async (entries: readonly LogEntry[], file: string): Promise<void> => {
    if (kept === undefined) await show.add(entries)
    else kept.add(entries, file)
  }
  const showKept = async (): Promise<void> => {
    progress.clear()
    if (kept !== undefined) await show.add(kept.end())
  }
  if (isFollowing) {
    await followFiles(files, choice, output.gone, {
      ...hooks,
      tell,
      onStart: take,
      onStarted: showKept,
      onNew: entries => show.add(entries),
    })
  } else {
    await progress.expect(files)
    await readAll(files, choice, values.merge === true, output.gone, hooks, take)
    await showKept()
  }
  await show.end()
  return failures > 0 && !output.gone.aborted ? 1 : 0
}

/** One file after the other, or all of them in time order; not further than somebody reads. */
async function readAll(
  files: readonly string[],
  choice: LineChoice,
  isMerged: boolean,
  gone: AbortSignal,
  hooks: ReadingHooks,
  take: (entries: readonly LogEntry[], file: string) => Promise<void>,
): Promise<void> {
  const sources = files.map(name => [name, readChosen(name, choice, hooks)] as const)
  const ordered = isMerged ? [['', mergedByTime(sources.map(([, source]) => source))] as const] : sources
  for (const [name, source] of ordered) {
    if (gone.aborted) return
    for await (const entries of source) {
      await take(entries, name)
      if (gone.aborted) break
    }
  }
}

function readLast(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count <= mostLast) return count
  throw new UsageError(`--last takes a whole number up to ${mostLast}, not "${text}".`)
}
