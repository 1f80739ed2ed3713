import { choosePalette, type Palette, prettyObject } from '../log/index.ts'
import type { LogEntry, LogPart } from './log-entry.ts'
import { type JsonObject, levelNumber } from './log-shapes.ts'
import { printable, unshown } from './log-text.ts'

/** What a terminal can show. */
export interface PrettyLook {
  /** `undefined`: no colours. */
  readonly palette: Palette | undefined
  /** How wide it is; `undefined`: nothing is wrapped or cut. */
  readonly columns: number | undefined
}

/** The look by `--color`, which decides before the variables do. */
export function prettyLook(
  color: 'auto' | 'always' | 'never',
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv,
): PrettyLook {
  const isTerminal = stream.isTTY === true
  const variables = color === 'always' ? { ...env, FORCE_COLOR: '2' } : env
  const palette = color === 'never' ? undefined : choosePalette(variables, isTerminal).palette
  return { palette, columns: isTerminal ? stream.columns : undefined }
}

/**
 * An entry as the logger itself shows one in development, whichever format it was written in. With its line break.
 * @param indent blanks before each row, for lines of a request, which is named above them
 */
export function prettyEntry(entry: LogEntry, { palette, columns }: PrettyLook, indent: number): string {
  const margin = ' '.repeat(indent)
  if (entry.object === undefined) {
    return `${margin}${printable(entry.message.replaceAll('\t', '  ').trimEnd())}\n`
  }
  const record = flatRecord(entry)
  if (indent > 0) delete record.request_id
  const text = prettyObject(record, palette, {
    columns: columns === undefined ? undefined : columns - indent,
    number: entry.level?.number,
  })
  return `${margin}${text.replaceAll('\n', `\n${margin}`)}\n`
}

/** The entry under the names of the flat format. */
function flatRecord(entry: LogEntry): Record<string, unknown> {
  const { time, level, request } = entry
  const taken = (parts: readonly LogPart[]): (string | undefined)[] =>
    parts.map(part => entry.find(part)?.[0])
  const paths = new Set(taken(['time', 'level', 'message', 'requestId', 'source', 'exception']))
  const record: Record<string, unknown> = {
    ...(time === undefined ? {} : { timestamp: new Date(time).toISOString() }),
    level: level?.name,
    message: entry.message,
    source: entry.source,
    request_id: entry.requestId,
  }
  if (request !== undefined && request.status !== undefined) {
    for (const path of taken(['method', 'target', 'status'])) paths.add(path)
    for (const path of ['elapsed', 'responseTime', 'event.duration', 'duration_ms']) paths.add(path)
    Object.assign(record, {
      method: request.method,
      path_with_query: request.target,
      status_code: request.status,
      elapsed: request.seconds,
    })
  }
  Object.assign(record, without(entry.fields, paths, ''))
  record.exception = entry.exception
  for (const key of Object.keys(record)) {
    if (record[key] === undefined || key === levelNumber) delete record[key]
  }
  return record
}

/** What is left of an object without the values at these paths. */
function without(object: JsonObject, paths: ReadonlySet<string | undefined>, prefix: string): JsonObject {
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) {
    const path = prefix + key
    if (paths.has(path) || unshown.has(path)) continue
    const isPartlyTaken = [...paths].some(other => other?.startsWith(`${path}.`) === true)
    rest[key] = isPartlyTaken ? without(value as JsonObject, paths, `${path}.`) : value
  }
  return rest
}
