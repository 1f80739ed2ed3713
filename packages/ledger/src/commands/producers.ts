import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { type ProducerState, type ProducerView, producerStates } from '../producers/index.ts'
import { placeHelp, placeOptions } from './choice-options.ts'
import type { LedgerCommand } from './command.ts'
import type { LedgerSource } from './ledger-source.ts'
import { producerSummary, producerTable } from './producer-table.ts'
import { withSource } from './with-source.ts'

const help = `Usage: deedbox producers [options]

Which processes send events to the ledger, when each was last heard of, and which of their events never came. Each
process numbers its events; a number without an event is a gap. A table on a terminal, one JSON object a line in a pipe.

Options
  --state <state>            only these: live, silent (not heard of for three minutes), ended or crashed
  --service <name>           only those of this service
  --check                    exit code 1 when there are gaps, for monitoring
  --json                     JSON on a terminal too
${placeHelp}
  --help                     this text

What is proved: the numbers are part of the events, so a gap below the highest one is as certain as the ledger itself.
What is not: what a process announced (that it lives, its last number, how it ended) is its own word, kept as a note.
The events after the last number that came or was announced leave no trace.

Exit codes: 0 shown, 1 the command failed, or --check found gaps, 2 it was called wrongly.

Examples
  deedbox producers
  deedbox producers --state silent --service orders
  deedbox producers --check --url https://ledger.example
`

const pageLength = 200

/** `deedbox producers`: gaps and silence. */
export const producers: LedgerCommand = async args => {
  const { values } = parseArgs({
    args,
    options: {
      ...placeOptions,
      state: { type: 'string' },
      service: { type: 'string' },
      check: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const { stdout, stderr, env } = process
  if (values.help) {
    stdout.write(help)
    return 0
  }
  const state = stateOf(values.state)
  const { service } = values
  return withSource(values, env, async source => {
    const found = await all(source, {
      ...(state === undefined ? {} : { state }),
      ...(service === undefined ? {} : { service }),
    })
    if (stdout.isTTY && !values.json) {
      stdout.write(found.length === 0 ? '' : producerTable(found, Date.now()))
      stderr.write(`${producerSummary(found)}\n`)
    } else {
      for (const producer of found) stdout.write(`${JSON.stringify(producer)}\n`)
      if (values.check) stderr.write(`${producerSummary(found)}\n`)
    }
    return values.check && found.some(({ missing }) => missing > 0) ? 1 : 0
  })
}

async function all(
  source: LedgerSource,
  filters: { state?: ProducerState; service?: string },
): Promise<ProducerView[]> {
  const found: ProducerView[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await source.producers({
      ...filters,
      limit: pageLength,
      ...(cursor === undefined ? {} : { cursor }),
    })
    found.push(...page.producers)
    cursor = page.nextCursor
  }
  return found
}

function stateOf(value: string | undefined): ProducerState | undefined {
  const state = producerStates.find(name => name === value)
  if (value === undefined || state !== undefined) return state
  throw new LedgerError('invalid_usage', `--state is ${producerStates.join(', ')}; not "${value}".`)
}
