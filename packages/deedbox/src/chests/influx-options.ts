import { ConfigurationError } from '../safety/index.ts'
import type { ChestLogger, ChestQueueOptions } from '../tracking/index.ts'
import { type ChestOptions, checkWhole, chestParts } from './chest-options.ts'
import type { InfluxTls } from './influx-connection.ts'
import type { InfluxType } from './influx-fields.ts'
import { pointName } from './influx-line.ts'
import { type InfluxAddress, type InfluxPlace, influxPlace } from './influx-place.ts'
import { factKeys, type InfluxLayout, type PointWriter, pointWriter, reservedKeys } from './influx-points.ts'

/** What `influx` takes. */
export interface InfluxOptions extends ChestOptions, InfluxAddress {
  /** Default `request`: one point for each request. (FC-17) */
  readonly layout?: InfluxLayout | undefined
  /** Of the layout `request`. Default `sample`. */
  readonly measurement?: string | undefined
  /**
   * What variables are, by name. Values are made that where they can be; others go to a field beside. Without it a field
   * is what its first value was. (FC-18)
   */
  readonly types?: Readonly<Record<string, InfluxType>> | undefined
  /** Whether route and method are tags, for grouping, in the layout `request`. Default `false`: they are fields. */
  readonly routeTags?: boolean | undefined
  /** Whether the certificate of the server is verified. Default `true`. (FC-21) */
  readonly verify?: boolean | undefined
  readonly tls?: InfluxTls | undefined
  /** How long one write may take. Default 10,000. */
  readonly timeoutMs?: number | undefined
}

/** The options of an InfluxDB chest, checked. */
export interface InfluxSettings {
  readonly name: string
  readonly place: InfluxPlace
  readonly points: PointWriter
  readonly tls: InfluxTls
  readonly timeoutMs: number
  readonly queue: ChestQueueOptions
  readonly logger: ChestLogger | undefined
}

const ownOptions = [
  ...['url', 'https', 'host', 'port', 'token', 'org', 'bucket', 'database', 'retentionPolicy'],
  ...['layout', 'measurement', 'types', 'routeTags', 'tls', 'verify', 'timeoutMs'],
]
const typeNames = ['string', 'number', 'integer', 'boolean', 'json']

/**
 * Reads the options of an InfluxDB chest.
 * @throws ConfigurationError naming the option at fault
 */
export function influxSettings(options: InfluxOptions): InfluxSettings {
  const { queue, logger, tags } = chestParts('influx()', options, ownOptions)
  const { layout = 'request', measurement, types = {}, routeTags, timeoutMs } = options
  if (options.name !== undefined && (typeof options.name !== 'string' || options.name === ''))
    throw new ConfigurationError('influx(): name', 'a text is needed.')
  if (layout !== 'request' && layout !== 'flask-chest')
    throw new ConfigurationError('influx(): layout', 'request or flask-chest is needed.')
  if (measurement !== undefined && (typeof measurement !== 'string' || measurement === ''))
    throw new ConfigurationError('influx(): measurement', 'a text is needed.')
  if (routeTags !== undefined && typeof routeTags !== 'boolean')
    throw new ConfigurationError('influx(): routeTags', 'true or false is needed.')
  if (layout === 'flask-chest')
    for (const [option, value] of Object.entries({ measurement, routeTags }))
      if (value !== undefined)
        throw new ConfigurationError(`influx(): ${option}`, 'it belongs to the layout request.')
  if (
    typeof types !== 'object' ||
    types === null ||
    Object.values(types).some(type => !typeNames.includes(type))
  )
    throw new ConfigurationError('influx(): types', `one of ${typeNames.join(', ')} by variable is needed.`)
  checkWhole('influx(): timeoutMs', timeoutMs, 1, 600_000)
  // A service or an environment that is tagged is no field any more; the rest says what a request was.
  const own = ['request_id', ...(layout === 'request' ? factKeys.filter(key => !isTaggable(key)) : [])]
  for (const key of Object.keys(tags))
    if (reservedKeys.includes(key) || own.includes(key))
      throw new ConfigurationError('influx(): tags', `${key} means something else there. Use another name.`)
  const place = influxPlace(options)
  return {
    name: options.name ?? place.name,
    place,
    points: pointWriter({
      layout,
      measurement: pointName(measurement ?? 'sample'),
      tags,
      routeTags: routeTags ?? false,
      types: { ...types },
    }),
    tls: checkedTls(options),
    timeoutMs: timeoutMs ?? 10_000,
    queue,
    logger,
  }
}

function checkedTls({ verify, tls = {} }: InfluxOptions): InfluxTls {
  if (
    typeof tls !== 'object' ||
    tls === null ||
    Object.keys(tls).some(key => !['verify', 'ca'].includes(key))
  )
    throw new ConfigurationError('influx(): tls', 'takes verify and ca.')
  if (verify !== undefined && tls.verify !== undefined)
    throw new ConfigurationError('influx(): verify', 'it is the same as tls.verify. Use one of them.')
  const verified: unknown = verify ?? tls.verify ?? true
  if (typeof verified !== 'boolean')
    throw new ConfigurationError('influx(): verify', 'true or false is needed.')
  const certificates: readonly unknown[] = tls.ca === undefined ? [] : [tls.ca].flat()
  if (certificates.some(text => !String(text).includes('-----BEGIN CERTIFICATE-----')))
    throw new ConfigurationError('influx(): tls.ca', 'the text of a PEM file is needed, not its name.')
  return { ca: tls.ca, verify: verified }
}

function isTaggable(key: string): boolean {
  return key === 'service' || key === 'env'
}
