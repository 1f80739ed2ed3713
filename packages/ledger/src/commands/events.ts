import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import type { EventFilters } from '../search/index.ts'
import type { StoredEvent } from '../stored-event.ts'
import {
  choiceHelp,
  choiceOptions,
  placeHelp,
  placeOptions,
  readChoice,
  readCount,
} from './choice-options.ts'
import type { LedgerCommand } from './command.ts'
import { EventTable } from './event-table.ts'
import type { LedgerSource } from './ledger-source.ts'
import { StandardOutput } from './standard-output.ts'
import { painter } from './terminal-text.ts'
import { withSource } from './with-source.ts'

const help = `Usage: deedbox events [filters] [options]

Shows the newest events that fit, the newest at the bottom; with --follow also those that come, whichever process
writes them. A table on a terminal, JSON lines in a pipe.

Filters; all that are given must hold, each compares the whole value
${choiceHelp}

Options
  -n, --number <count>       how many to show at first, up to 10000 (default 50)
  -f, --follow               goes on with the events that come, until it is interrupted
  --json                     JSON lines on a terminal too; each is an event as GET /v1/events shows it
${placeHelp}
  --help                     this text

A table shows as many columns as the terminal is wide; NO_COLOR turns the colours off.

Exit codes: 0 shown, 1 the command failed, 2 it was called wrongly.

Examples
  deedbox events --actor u_42 --since 7d
  deedbox events --type error --follow
  deedbox events --event-name order.shipped -n 1000 | jq -r .payload
`

/** More than this is for an export: a page of events is held in memory to be turned around. */
const mostShown = 10_000

/** `deedbox events`: search and tail. */
export const events: LedgerCommand = async args => {
  const { values } = parseArgs({
    args,
    options: {
      ...choiceOptions,
      ...placeOptions,
      number: { type: 'string', short: 'n' },
      follow: { type: 'boolean', short: 'f' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const { stdout, stderr, env } = process
  if (values.help) {
    stdout.write(help)
    return 0
  }
  const choice = readChoice(values, Date.now())
  const number = readCount('--number', String(values.number ?? 50), mostShown)
  if (values.follow && choice.until !== undefined) {
    throw new LedgerError('invalid_usage', '--follow shows what comes, so --until has no meaning with it.')
  }
  const output = new StandardOutput(stdout)
  const isTable = stdout.isTTY && !values.json
  const table = new EventTable(stdout.columns || 80, painter(isTable, env), values.follow === true)
  const show = (shown: readonly StoredEvent[]) =>
    output.write(isTable ? table.lines(shown) : shown.map(event => `${JSON.stringify(event)}\n`).join(''))
  return withSource(values, env, async source => {
    const { shown, asOf } = await newest(source, choice, number)
    if (shown.length > 0 || values.follow) await show(shown)
    if (shown.length === 0 && isTable && !values.follow) stderr.write('No event fits.\n')
    if (values.follow) {
      const { until: _until, ...query } = choice
      await followOn(source, { ...query, after: asOf - 1 }, output, event => show([event]))
    }
    return 0
  })
}

async function newest(
  source: LedgerSource,
  choice: EventFilters & { since?: string; until?: string },
  number: number,
): Promise<{ shown: StoredEvent[]; asOf: number }> {
  const found: StoredEvent[] = []
  // One page is asked for even if none is to be shown: it says how far the ledger reaches.
  const limit = () => Math.max(1, Math.min(500, number - found.length))
  let page = await source.search({ ...choice, limit: limit() })
  const { asOf } = page
  found.push(...page.events)
  while (page.nextCursor !== null && found.length < number) {
    page = await source.search({ ...choice, limit: limit(), cursor: page.nextCursor, as_of: asOf })
    found.push(...page.events)
  }
  return { shown: found.slice(0, number).toReversed(), asOf }
}

/** Until SIGINT or SIGTERM, or until nobody reads any more. */
async function followOn(
  source: LedgerSource,
  query: EventFilters & { since?: string; after: number },
  output: StandardOutput,
  show: (event: StoredEvent) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const onStop = () => stop.abort()
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  output.gone.addEventListener('abort', onStop, { once: true })
  try {
    const tell = (sentence: string) => void process.stderr.write(`deedbox: ${sentence}\n`)
    for await (const event of source.follow(query, stop.signal, tell)) await show(event)
  } finally {
    process.off('SIGINT', onStop)
    process.off('SIGTERM', onStop)
  }
}
