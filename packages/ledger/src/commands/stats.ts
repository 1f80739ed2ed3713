import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { type FacetField, type Interval, intervals } from '../search/index.ts'
import { choiceHelp, choiceOptions, placeHelp, placeOptions, readChoice } from './choice-options.ts'
import type { LedgerCommand } from './command.ts'
import type { LedgerSource } from './ledger-source.ts'
import { type Stats, statsPicture } from './stats-picture.ts'
import { painter } from './terminal-text.ts'
import { withSource } from './with-source.ts'

const help = `Usage: deedbox stats [filters] [options]

How large the ledger is, how old, and what is in it: a picture on a terminal, one JSON object in a pipe.

Filters; the counts are of the events that fit, the rest is about the whole ledger
${choiceHelp}

Options
  --interval <interval>      minute, hour or day (default: by the length of time)
  --json                     the JSON object on a terminal too
${placeHelp}
  --help                     this text

Counting begins with the newest and looks at up to 1,000,000 events in a data folder, 200,000 at a running ledger;
where that is not all, the output says so. Give --since or --until to look at a part.

Exit codes: 0 shown, 1 the command failed, 2 it was called wrongly.

Examples
  deedbox stats
  deedbox stats --type error --since 24h --interval hour
`

const fields: readonly FacetField[] = ['event_name', 'service', 'type']
const valuesShown = 8

/** `deedbox stats`: the ledger at a glance. */
export const stats: LedgerCommand = async args => {
  const { values } = parseArgs({
    args,
    options: {
      ...choiceOptions,
      ...placeOptions,
      interval: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const { stdout, env } = process
  if (values.help) {
    stdout.write(help)
    return 0
  }
  const now = Date.now()
  const choice = readChoice(values, now)
  const interval = intervalOf(values.interval)
  return withSource(values, env, async source => {
    const found = await gather(source, choice, interval)
    const isPicture = stdout.isTTY && !values.json
    const width = Math.min(stdout.columns || 80, 120)
    stdout.write(
      isPicture
        ? statsPicture(found, { width, paint: painter(true, env), now })
        : `${JSON.stringify(found)}\n`,
    )
    return 0
  })
}

async function gather(
  source: LedgerSource,
  choice: ReturnType<typeof readChoice>,
  asked: Interval | undefined,
): Promise<Stats> {
  const { events: newest, asOf } = await source.search({ limit: 1 })
  const { events: first } = await source.search({ limit: 1, order: 'asc', as_of: asOf })
  const firstAt = first[0]?.at ?? null
  const newestAt = newest[0]?.at ?? null
  const interval = asked ?? fittingInterval(choice.since ?? firstAt, choice.until ?? newestAt)
  const query = { ...choice, as_of: asOf }
  const histogram = await source.histogram({ ...query, interval })
  const facets = await source.facets(query, fields, valuesShown)
  const { place, origin, fileBytes, checkpoint, apiKeys, guard } = await source.facts()
  const size = Number(/^\d+$/.exec(checkpoint?.split('\n', 2)[1] ?? '')?.[0] ?? Number.NaN)
  const covered =
    size >= 1 && size <= asOf ? (await source.search({ limit: 1, as_of: size })).events[0]?.at : undefined
  return {
    place,
    origin,
    size: asOf,
    first_at: firstAt,
    newest_at: newestAt,
    file_bytes: fileBytes,
    api_keys: apiKeys,
    checkpoint: checkpoint === null || Number.isNaN(size) ? null : { size, covers_until: covered ?? null },
    guard,
    counted: histogram.counted,
    from: histogram.from,
    to: histogram.to,
    complete: histogram.complete,
    interval,
    buckets: histogram.buckets,
    facets: facets.map(({ field, values, different, complete, from }) => ({
      field,
      values,
      different,
      complete,
      from,
    })),
  }
}

function intervalOf(value: unknown): Interval | undefined {
  if (value === undefined) return undefined
  const interval = Object.keys(intervals).find(name => name === value)
  if (interval !== undefined) return interval as Interval
  throw new LedgerError('invalid_usage', `--interval is minute, hour or day, not "${value}".`)
}

/** What divides the time into no more bars than fit on a screen. */
function fittingInterval(since: string | null, until: string | null): Interval {
  const span = since === null || until === null ? 0 : Date.parse(until) - Date.parse(since)
  if (span <= 20 * intervals.minute) return 'minute'
  return span <= 24 * intervals.hour ? 'hour' : 'day'
}
