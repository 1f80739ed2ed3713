import { LedgerError } from '../errors.ts'
import type { JsonSchema } from '../events/index.ts'

/** What a producer says about itself, checked. Plain data: it crosses threads. */
export interface Announcement {
  producerId: string
  service: string | null
  env: string | null
  host: string | null
  version: string | null
  pid: number | null
  /** Milliseconds since the epoch. */
  startedAt: number | null
  highWater: number
  queued: number
  spooled: number
  ended: 'clean' | 'crashed' | null
}

/** An announcement and the writer who sent it. */
export interface ProducerAnnouncement {
  principal: string
  said: Announcement
}

/** Characters of a producer's id; longer ones are not kept track of. */
export const longestProducerId = 128

const shortText: JsonSchema = { type: 'string', minLength: 1, maxLength: 256 }
const count: JsonSchema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }

/** JSON Schema of the body of `POST /v1/producers`. */
export const announcementSchema: JsonSchema = {
  type: 'object',
  required: ['id', 'service', 'high_water'],
  additionalProperties: false,
  properties: {
    id: {
      type: 'string',
      minLength: 1,
      maxLength: longestProducerId,
      description: 'As in meta.producer.id: of one process, made anew by each',
    },
    service: shortText,
    env: shortText,
    host: shortText,
    pid: { ...count, description: 'The process id on that host' },
    version: shortText,
    started_at: { type: 'string', format: 'date-time' },
    high_water: {
      ...count,
      description: 'The highest number that it has given to an event; 0 before the first',
    },
    queued: { ...count, default: 0, description: 'Events that wait in its memory' },
    spooled: { ...count, default: 0, description: 'Events that wait on its disk' },
    ended: {
      type: 'string',
      enum: ['clean', 'crashed'],
      description:
        'With its last announcement: how it ended. Another process of the same writer may say it for it',
    },
  },
}

const members = Object.keys(announcementSchema.properties as object)

/**
 * Reads an announcement as it came over the wire or from a caller in this process.
 *
 * @throws LedgerError `invalid_event`
 */
export function readAnnouncement(value: unknown): Announcement {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('The body is a JSON object with at least id, service and high_water.')
  }
  const said = value as Record<string, unknown>
  const odd = Object.keys(said).find(name => !members.includes(name) && said[name] !== undefined)
  if (odd !== undefined) {
    throw invalid(`An announcement has the members ${members.join(', ')}; ${JSON.stringify(odd)} is not one.`)
  }
  const producerId = text(said, 'id', longestProducerId)
  const service = text(said, 'service')
  const highWater = number(said, 'high_water')
  if (producerId === null || service === null || highWater === null) {
    throw invalid('id, service and high_water are required.')
  }
  const { ended = null } = said
  if (ended !== null && ended !== 'clean' && ended !== 'crashed') throw invalid('ended is clean or crashed.')
  return {
    producerId,
    service,
    env: text(said, 'env'),
    host: text(said, 'host'),
    version: text(said, 'version'),
    pid: number(said, 'pid'),
    startedAt: time(said.started_at),
    highWater,
    queued: number(said, 'queued') ?? 0,
    spooled: number(said, 'spooled') ?? 0,
    ended,
  }
}

function text(said: Record<string, unknown>, name: string, longest = 256): string | null {
  const value = said[name]
  if (value === undefined) return null
  const fits =
    typeof value === 'string' &&
    value !== '' &&
    value.length <= longest &&
    value.isWellFormed() &&
    !value.includes('\0')
  if (fits) return value
  throw invalid(`${name} is a text of 1 to ${longest} characters.`)
}

function number(said: Record<string, unknown>, name: string): number | null {
  const value = said[name]
  if (value === undefined) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(`${name} is a whole number from 0.`)
}

const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

function time(value: unknown): number | null {
  if (value === undefined) return null
  const at = typeof value === 'string' && timeForm.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) throw invalid('started_at is a time as 2030-01-31T12:00:00Z (RFC 3339).')
  return at
}

function invalid(message: string): LedgerError {
  return new LedgerError('invalid_event', message)
}
