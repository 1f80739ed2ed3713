import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LedgerError } from '../errors.ts'
import type { JsonSchema } from '../events/index.ts'
import type { Ledger } from '../ledger.ts'
import {
  type EventCounts,
  type EventFilters,
  type FacetField,
  facetFields,
  filterParameters,
  type Interval,
  intervals,
  type TimeRange,
} from '../search/index.ts'
import { problemSchema } from './answer-schemas.ts'
import type { ContentRead } from './read-routes.ts'

const filters: JsonSchema = {
  ...filterParameters(),
  as_of: { type: 'integer', minimum: 0, description: 'Only events below this tree size' },
}

const coverage: JsonSchema = {
  ok: { type: 'boolean' },
  as_of: { type: 'integer', description: 'The tree size that was looked at' },
  from: { type: 'integer', description: 'The counts are exact for the indices from this one' },
  to: { type: 'integer', description: 'up to, and without, this one' },
  complete: {
    type: 'boolean',
    description: 'False: older events were left out, the count had reached its bound',
  },
  counted: { type: 'integer', description: 'Events that fit' },
}

const bounds =
  'Looks at 200,000 rows at most, from the newest backwards; complete says whether that was all, from and to what ' +
  'the counts are exact for.'

type Filters = EventFilters & TimeRange

/** Each looks at up to 200,000 rows beside everything else that the process does. */
const maxCounts = 4

/** Counts over the same filters as the search. */
export function statsRoutes(app: FastifyInstance, ledger: Ledger, onRead: (read: ContentRead) => void): void {
  let underWay = 0
  /** Runs a count until the client leaves. */
  const whileWaited = async (
    request: FastifyRequest,
    count: (signal: AbortSignal) => Promise<EventCounts>,
  ): Promise<EventCounts> => {
    if (underWay === maxCounts) {
      throw new LedgerError('overloaded', 'Enough is being counted already. Try again in a moment.')
    }
    underWay++
    const left = new AbortController()
    const leave = () => left.abort()
    request.raw.socket.once('close', leave)
    try {
      return await count(left.signal)
    } finally {
      underWay--
      request.raw.socket.off('close', leave)
    }
  }

  app.get<{ Querystring: Filters & { interval: Interval } }>(
    '/v1/stats/histogram',
    {
      schema: {
        summary: 'Events over time',
        description: `${bounds} Buckets without events are left out; there are 1,500 at most.`,
        tags: ['events'],
        security: [{ apiKey: [] }],
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['interval'],
          properties: { ...filters, interval: { type: 'string', enum: Object.keys(intervals) } },
        },
        response: {
          200: {
            type: 'object',
            properties: {
              ...coverage,
              interval: { type: 'string' },
              buckets: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: {
                    from: { type: 'string', format: 'date-time' },
                    count: { type: 'integer' },
                    by_type: { type: 'object', additionalProperties: { type: 'integer' } },
                  },
                },
              },
            },
          },
          default: problemSchema,
        },
      },
    },
    async request => {
      ledger.authenticator.authenticate(request.headers.authorization, 'read')
      const { interval, ...query } = request.query
      const counts = await whileWaited(request, signal => ledger.view.count({ ...query, interval, signal }))
      const buckets = counts.buckets.map(({ from, count, byType }) => ({
        from: new Date(from).toISOString(),
        count,
        by_type: byType,
      }))
      return { ...coverageView(counts), interval, buckets }
    },
  )

  app.get<{ Querystring: Filters & { field: FacetField; limit?: number } }>(
    '/v1/stats/facets',
    {
      schema: {
        summary: 'The most frequent values of a field',
        description: `${bounds} It also stops before 20,000 different values. Showing values is a read, and recorded.`,
        tags: ['events'],
        security: [{ apiKey: [] }],
        querystring: {
          type: 'object',
          additionalProperties: false,
          required: ['field'],
          properties: {
            ...filters,
            field: { type: 'string', enum: facetFields },
            limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
          },
        },
        response: {
          200: {
            type: 'object',
            properties: {
              ...coverage,
              field: { type: 'string' },
              values: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: { value: { type: 'string' }, count: { type: 'integer' } },
                },
              },
              different: { type: 'integer', description: 'How many values there are, shown or not' },
            },
          },
          default: problemSchema,
        },
      },
    },
    async request => {
      const { principal } = ledger.authenticator.authenticate(request.headers.authorization, 'read')
      const { field, limit = 10, ...query } = request.query
      const counts = await whileWaited(request, signal =>
        ledger.view.count({ ...query, fields: [field], signal }),
      )
      const values = counts.values.get(field) ?? []
      const { from, to } = counts
      if (values.length > 0) onRead({ principal, range: { from, to }, field })
      return { ...coverageView(counts), field, values: values.slice(0, limit), different: values.length }
    },
  )
}

function coverageView({ asOf, from, to, complete, counted }: EventCounts): Record<string, unknown> {
  return { ok: true, as_of: asOf, from, to, complete, counted }
}
