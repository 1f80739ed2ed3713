import { LedgerError } from '../errors.ts'
import type { EventColumns, JsonSchema } from '../events/index.ts'
import type { EventRow } from '../store/index.ts'

/** The filters of every call and command that chooses events. All given ones must hold; each compares the whole value. */
export interface EventFilters {
  type?: string
  event_name?: string
  service?: string
  env?: string
  request_id?: string
  trace_id?: string
  immutable_trail?: string
  /** The id of the actor. */
  actor?: string
  subject?: string
  correlation_id?: string
  outcome?: string
  kind?: EventRow['kind']
}

/** How one filter is asked for and what it compares. */
export interface EventFilter {
  column: keyof EventColumns | 'kind'
  /** Of the query parameter; its `enum` and lengths hold for every caller. */
  schema: JsonSchema
  /** For the help of a command. */
  about: string
}

const name: JsonSchema = { type: 'string', minLength: 1, maxLength: 1024 }

function filter(
  column: EventFilter['column'],
  about: string,
  schema: JsonSchema = name,
): Readonly<EventFilter> {
  return { column, schema: { ...schema, description: about }, about }
}

const typeNames = ['error', 'warning', 'info', 'success']
const kindNames = ['event', 'erasure', 'retention', 'admin']

/** The one definition of the filters: routes, commands and queries read it from here. */
export const eventFilters: Readonly<Record<keyof EventFilters, Readonly<EventFilter>>> = {
  type: filter('type', typeNames.join(', '), { type: 'string', enum: typeNames }),
  event_name: filter('event_name', 'the whole event name'),
  service: filter('service', 'the service that sent it'),
  env: filter('env', 'the environment'),
  request_id: filter('request_id', 'meta.request_id'),
  trace_id: filter('trace_id', 'the trace'),
  immutable_trail: filter('immutable_trail', 'the trail that groups events'),
  actor: filter('actor_id', 'the id of the actor'),
  subject: filter('subject', 'whose data it is'),
  correlation_id: filter('correlation_id', 'what ties requests together'),
  outcome: filter('outcome', 'the outcome'),
  kind: filter('kind', kindNames.join(', '), { type: 'string', enum: kindNames }),
}

/** The names of the filters, in the order in which they are shown. */
export const filterNames: readonly (keyof EventFilters)[] = Object.keys(
  eventFilters,
) as (keyof EventFilters)[]

/** A point in time as a query parameter. */
const time: JsonSchema = { type: 'string', minLength: 1, maxLength: 64 }

/** JSON Schemas of the query parameters that choose events: every filter, `since` and, unless left out, `until`. */
export function filterParameters({ until = true }: { until?: boolean } = {}): JsonSchema {
  return {
    ...Object.fromEntries(filterNames.map(name => [name, eventFilters[name].schema])),
    since: { ...time, description: 'RFC 3339; this instant or later' },
    ...(until ? { until: { ...time, description: 'RFC 3339; before this instant' } } : {}),
  }
}

/**
 * The filters among the members of a query.
 *
 * @throws LedgerError `invalid_query` for a value that no event can have
 */
export function filtersOf(query: EventFilters): EventFilters {
  const given: Record<string, string> = {}
  for (const name of filterNames) {
    const value = query[name]
    if (value === undefined) continue
    checkFilter(name, value)
    given[name] = value
  }
  return given
}

/** What the store compares for these filters. */
export function comparisonsOf(filters: EventFilters): {
  equals: Partial<EventColumns>
  kind?: EventRow['kind']
} {
  const { kind, ...others } = filters
  const equals: Partial<EventColumns> = {}
  for (const [name, value] of Object.entries(others)) {
    const { column } = eventFilters[name as keyof EventFilters]
    if (column !== 'kind') equals[column] = value
  }
  return kind === undefined ? { equals } : { equals, kind }
}

function checkFilter(name: keyof EventFilters, value: string): void {
  const { enum: allowed } = eventFilters[name].schema as { enum?: readonly string[] }
  if (allowed !== undefined && !allowed.includes(value)) {
    throw new LedgerError('invalid_query', `The filter ${name} is one of ${allowed.join(', ')}.`)
  }
  if (typeof value !== 'string' || value === '' || value.length > 1024) {
    throw new LedgerError('invalid_query', `The filter ${name} takes 1 to 1024 characters.`)
  }
}
