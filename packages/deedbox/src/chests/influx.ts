import { ConfigurationError, errorMessage } from '../safety/index.ts'
import {
  type CheckMessage,
  type Chest,
  ChestError,
  type ChestLogger,
  type ChestQueueOptions,
  type ContextEntry,
} from '../tracking/index.ts'
import { byRecord } from './by-record.ts'
import { type InfluxAnswer, type InfluxConnection, influxConnection } from './influx-connection.ts'
import { type InfluxOptions, type InfluxSettings, influxSettings } from './influx-options.ts'
import type { InfluxPoint, PointWriter } from './influx-points.ts'

/** Bytes of one write, about; servers take 25 MB at most as they come. */
const writeSize = 4_000_000

/** Types that one write may teach. Beyond that it is divided. */
const mostLearned = 500

/**
 * A chest in InfluxDB 2, or 1 where a `database` is named. Only written to; queries are InfluxDB's own. (FC-16, FC-17)
 * @param urlOrOptions `http://host:8086?org=my-org&bucket=my-bucket`, or the options
 * @throws ConfigurationError naming the option at fault
 */
export function influx(urlOrOptions: string | InfluxOptions = {}, options: InfluxOptions = {}): Chest {
  if (typeof urlOrOptions !== 'string') return new InfluxChest(influxSettings(urlOrOptions))
  if (options.url !== undefined)
    throw new ConfigurationError('influx(): url', 'there are two URLs. Use one of them.')
  return new InfluxChest(influxSettings({ ...options, url: urlOrOptions }))
}

class InfluxChest implements Chest {
  readonly id: string
  readonly address: string
  readonly queue: ChestQueueOptions
  readonly logger: ChestLogger | undefined
  readonly #settings: InfluxSettings
  readonly #points: PointWriter
  #connecting: Promise<InfluxConnection> | undefined

  constructor(settings: InfluxSettings) {
    this.id = `InfluxDB(name=${settings.name})`
    this.address = `${settings.place.base}${settings.place.path}`
    this.queue = settings.queue
    this.logger = settings.logger
    this.#settings = settings
    this.#points = settings.points
  }

  async write(entries: readonly ContextEntry[]): Promise<void> {
    const taken = new Set<string>()
    let part: Part = { points: [], size: 0 }
    for (const request of byRecord(entries)) {
      const points = this.#points.points(request)
      const size = points.reduce((sum, { line }) => sum + line.length, 0)
      if (part.size > 0 && part.size + size > writeSize) {
        await this.#writePart(part.points, taken)
        part = { points: [], size: 0 }
      }
      part.points.push(...points)
      part.size += size
    }
    if (part.size > 0) await this.#writePart(part.points, taken)
  }

  async check(): Promise<CheckMessage[]> {
    const problem = (id: string, message: string, hint: string): CheckMessage[] => [
      { id: `deedbox.chest.${id}`, level: 'error', message: `${this.id} ${message}`, hint },
    ]
    try {
      const connection = await this.#connection()
      const answer = await connection.post('', Math.min(3_000, this.#settings.timeoutMs))
      // InfluxDB 2 looks at who asks and for what, and then says that there is nothing to write.
      if (answer === undefined || answer.status === 400) return []
      const { status, message } = answer
      const said = `answers ${status}: ${shortened(message)}`
      if (status === 401 || status === 403) return problem('credentials', said, 'Look at its token.')
      if (status === 404) return problem('missing', said, 'Look whether its bucket or database is there.')
      return problem('unreachable', said, `Look at ${this.#settings.place.base}.`)
    } catch (error) {
      const id =
        error instanceof ChestError && error.code === 'driver_missing' ? 'driver_missing' : 'unreachable'
      return problem(id, `cannot be written: ${reasonOf(error)}`, `Look at ${this.#settings.place.base}.`)
    }
  }

  async close(): Promise<void> {
    const connecting = this.#connecting
    this.#connecting = undefined
    await connecting?.then(
      connection => connection.close(),
      () => {},
    )
  }

  #connection(): Promise<InfluxConnection> {
    this.#connecting ??= influxConnection(this.#settings.place, this.#settings.tls, this.id)
    return this.#connecting
  }

  /**
   * Writes points, and again as often as the server teaches another type. It has then left out the points with that field,
   * and only these are made anew: what it has taken must not come to stand in two fields.
   */
  async #writePart(made: readonly InfluxPoint[], taken: Set<string>): Promise<void> {
    let points = made
    for (let learned = 0; ; learned++) {
      const answer = await this.#post(points.map(({ line }) => line).join('\n'), taken)
      if (answer === undefined) break
      const { status, message, retryAfter, cause } = answer
      const [, key = '', measurement = '', type = ''] = typeConflict.exec(message) ?? []
      if (type !== '' && learned < mostLearned && this.#points.learn(measurement, key, type)) {
        points = points.map(point =>
          point.measurement === measurement && point.keys.includes(key)
            ? this.#points.points(point.entries)[0]!
            : point,
        )
        continue
      }
      const told = withoutLines(message, points)
      const problem = `the server answered ${status}: ${shortened(told)}`
      throw new ChestError(finalAnswers.has(status) ? 'refused' : 'unavailable', this.id, problem, {
        ...(told === message ? { cause } : {}),
        ...{ retryAfter, taken },
      })
    }
    for (const { entries } of points) taken.add(entries[0]!.record.id)
  }

  async #post(body: string, taken: ReadonlySet<string>): Promise<InfluxAnswer | undefined> {
    try {
      return await (await this.#connection()).post(body, this.#settings.timeoutMs)
    } catch (error) {
      if (error instanceof ChestError) throw error
      throw new ChestError('unavailable', this.id, reasonOf(error), { cause: error, taken })
    }
  }
}

/** What is written at once. */
interface Part {
  readonly points: InfluxPoint[]
  size: number
}

/** How InfluxDB 1 and 2 say that a field has another type. */
const typeConflict = /input field "(.+)" on measurement "(.+)" is type \w+, already exists as type (\w+)/s

/** They are about the lines, not about the place or who writes: no attempt would change them. */
const finalAnswers: ReadonlySet<number> = new Set([201, 400, 413, 422])

/** Servers quote the line at fault, with all that was tracked in it: what it says before and behind is told. */
function withoutLines(message: string, points: readonly InfluxPoint[]): string {
  const beginnings = new Set(points.map(({ line }) => line.slice(0, line.indexOf('=') + 1)))
  const quotes = [...beginnings, "unable to parse '"].map(text => message.indexOf(text)).filter(at => at >= 0)
  if (quotes.length === 0) return message
  const [, reason = ''] =
    /\d{10}'(: (?:bad|duplicate|invalid|missing|time)[\w -]*(?:=\d+)?)$/.exec(message) ?? []
  const before = message
    .slice(0, Math.min(...quotes))
    .replace(/unable to parse '?$/, '')
    .replace(/[\s'":]+$/, '')
  return `${before}${before === '' ? '' : ': '}it could not read a line${reason}`
}

/** What a proxy says may be a whole page. */
function shortened(message: string): string {
  return message.length > 300 ? `${message.slice(0, 300)}…` : message
}

function reasonOf(error: unknown): string {
  return shortened(errorMessage(error))
}
