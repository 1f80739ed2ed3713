import { parseArgs } from 'node:util'
import { ByteProgress } from './byte-progress.ts'
import { LineOutput } from './line-output.ts'
import { standardInput } from './log-files.ts'
import { prettyLook } from './log-pretty.ts'
import type { ReadingHooks } from './log-reading.ts'
import { painter, printable } from './log-text.ts'
import { oneOf } from './one-of.ts'
import { traceHelp } from './trace-help.ts'
import { joined, traceLines, traceText } from './trace-picture.ts'
import {
  chestSource,
  fileSource,
  folderSource,
  mostItems,
  type TraceItem,
  type TraceSource,
  urlSource,
} from './trace-sources.ts'
import { UsageError } from './usage-error.ts'

const options = {
  data: { type: 'string' },
  url: { type: 'string' },
  chest: { type: 'string', multiple: true },
  output: { type: 'string' },
  color: { type: 'string' },
  help: { type: 'boolean' },
} as const

/** `deedbox trace`. Resolves to the exit code. @throws UsageError */
export async function trace(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const { stdout, stdin, stderr, env } = process
  if (values.help) {
    stdout.write(traceHelp)
    return 0
  }
  const [requestId = '', ...named] = positionals
  if (requestId === '') {
    throw new UsageError('Name a request id. "deedbox trace --help" shows how.')
  }
  const isTerminal = stdout.isTTY === true
  const style = oneOf('--output', values.output, ['pretty', 'json'], isTerminal ? 'pretty' : 'json')
  const color = oneOf('--color', values.color, ['auto', 'always', 'never'], 'auto')
  const ledger = ledgerSource(values, env)
  const stores = [...(ledger === undefined ? [] : [ledger]), ...(values.chest ?? []).map(chestSource)]
  if (named.length === 0 && stores.length === 0 && stdin.isTTY) {
    throw new UsageError(
      'Name log files, a ledger with --data or --url, a chest with --chest, or several of them.',
    )
  }
  const files = named.length === 0 && stores.length === 0 ? [standardInput] : named

  const progress = new ByteProgress()
  let failures = 0
  const tell = (sentence: string): void => {
    progress.clear()
    stderr.write(`deedbox: ${printable(sentence)}\n`)
  }
  const hooks: ReadingHooks = {
    onBytes: count => progress.add(count),
    onProblem: ({ message }) => {
      failures++
      tell(message)
    },
  }
  await progress.expect(files)
  const sources = [...files.map(name => fileSource(name, hooks)), ...stores]
  const found: TraceItem[] = []
  let wanted = requestId
  for (const source of sources) {
    try {
      const items = await source.read(wanted)
      wanted = wholeId(wanted, items)
      if (items.length > mostItems) tell(`${source.name} has more than ${mostItems} of this request.`)
      found.push(...items.slice(0, mostItems))
    } catch (error) {
      if (error instanceof UsageError) throw error
      failures++
      tell(error instanceof Error ? error.message : String(error))
    }
  }
  progress.clear()
  if (found.length === 0) {
    stderr.write('Nothing is known of this request.\n')
  } else {
    const picture = joined(wanted, found)
    const output = new LineOutput(stdout)
    output.add(
      style === 'json'
        ? shown(traceLines(picture), isTerminal)
        : traceText(picture, painter(prettyLook(color, stdout, env).palette !== undefined)),
    )
    await output.flush()
  }
  return failures > 0 ? 1 : 0
}

/** Lines for a program as they are; on a terminal nothing in them drives it. */
function shown(lines: string, isTerminal: boolean): string {
  return isTerminal ? lines.split('\n').map(printable).join('\n') : lines
}

/**
 * The id of which a part was given, as the lines have it.
 * @throws UsageError when it is a part of several
 */
function wholeId(part: string, items: readonly TraceItem[]): string {
  const ids = new Set(items.flatMap(item => (item.from === 'log' ? [item.entry.requestId ?? part] : [])))
  if (ids.size > 1) throw new UsageError(`"${part}" is a part of several ids: ${[...ids].join(', ')}.`)
  const [id = part] = ids
  return id
}

/** The ledger that the options name, else the one of `DEEDBOX_URL`; a ledger is not looked for otherwise. */
function ledgerSource(
  { data, url }: { readonly data?: string | undefined; readonly url?: string | undefined },
  env: NodeJS.ProcessEnv,
): TraceSource | undefined {
  if (data !== undefined && url !== undefined) {
    throw new UsageError('Name the ledger by --url or by --data, not by both.')
  }
  if (data !== undefined) return folderSource(data)
  const address = url ?? (env.DEEDBOX_URL || undefined)
  return address === undefined ? undefined : urlSource(address, env.DEEDBOX_API_KEY)
}
