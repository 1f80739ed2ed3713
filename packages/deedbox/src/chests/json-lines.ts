import { isoMicroseconds } from '../request/index.ts'
import type { Chest, ContextEntry } from '../tracking/index.ts'
import { type LineFileOptions, type LineKind, lineChest } from './line-chest.ts'

/**
 * A chest that appends one line of JSON for each variable: `jsonLines('vars.jsonl')`. Values keep their types; the members are
 * those of the tables, `created_at` with microseconds. The file is made when it is first written, for its owner alone.
 *
 * A write whose outcome is unknown may be repeated: lines with the same `entry_id` are the same entry.
 * @throws ConfigurationError
 */
export function jsonLines(file: string | URL, options: LineFileOptions = {}): Chest {
  return lineChest(kind, file, options)
}

const kind: LineKind = {
  title: 'JSONLines',
  taker: 'jsonLines()',
  header: '',
  closing: () => '\n',
  lines: async (entries, tags) => entries.map(entry => `${JSON.stringify(lineOf(entry, tags))}\n`).join(''),
}

function lineOf(entry: ContextEntry, tags: Readonly<Record<string, string>>): object {
  const { id, requestId, name, value, timestamp, record } = entry
  const { route, method, status, error, service, env } = record
  return {
    entry_id: id,
    request_id: requestId,
    name,
    value,
    created_at: `${isoMicroseconds(timestamp)}Z`,
    ...{ route, method, status, error, service, env, tags: { ...record.tags, ...tags } },
  }
}
