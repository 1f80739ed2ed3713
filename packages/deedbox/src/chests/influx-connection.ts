import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { HttpError } from '@influxdata/influxdb-client'
import { readRetryAfter } from '../audit/index.ts'
import { loadDriver } from './driver.ts'
import type { InfluxPlace } from './influx-place.ts'

/** How the certificate of a server is verified. (FC-21) */
export interface InfluxTls {
  /** PEM: whom to trust instead of the authorities that Node knows. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
  /** Default `true`. */
  readonly verify?: boolean | undefined
}

/** What a server said to a request that it did not do. */
export interface InfluxAnswer {
  readonly status: number
  readonly message: string
  /** Milliseconds after which it wants to be asked again. */
  readonly retryAfter: number | undefined
  readonly cause: unknown
}

/** A pool of connections to one server, through the official client. */
export interface InfluxConnection {
  /**
   * Posts lines; `undefined` once the server has taken all of them.
   * @throws what the network says
   */
  post(body: string, milliseconds: number): Promise<InfluxAnswer | undefined>
  close(): void
}

/**
 * Opens such a pool; no connection is made yet. Of the client its transport is used: its own writer prints what fails, and
 * what it sends when its buffer is full fails unheard.
 * @param chest the id of the chest
 * @throws ChestError `driver_missing`
 */
export async function influxConnection(
  place: InfluxPlace,
  { ca, verify = true }: InfluxTls,
  chest: string,
): Promise<InfluxConnection> {
  const { InfluxDB, HttpError } = await loadDriver(
    chest,
    '@influxdata/influxdb-client',
    () => import('@influxdata/influxdb-client'),
  )
  const { base, path, authorization } = place
  const agent = base.startsWith('https:')
    ? new HttpsAgent({
        keepAlive: true,
        rejectUnauthorized: verify,
        ...(ca === undefined ? {} : { ca: ca as string | Buffer | (string | Buffer)[] }),
      })
    : new HttpAgent({ keepAlive: true })
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
  const { transport } = new InfluxDB({ url: base, headers, timeout: 0, transportOptions: { agent } })
  const post = async (body: string, milliseconds: number): Promise<InfluxAnswer | undefined> => {
    let status = 0
    const signal = AbortSignal.timeout(milliseconds)
    const options = { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, signal }
    try {
      await transport.request(path, body, options, (_, code = 0) => {
        status = code
      })
    } catch (error) {
      if (signal.aborted) throw new Error(`no answer within ${milliseconds} ms`, { cause: error })
      if (error instanceof HttpError) return answerOf(error)
      throw error
    }
    // 201 says that some were not taken; another one is not from an InfluxDB.
    if (status === 204) return undefined
    return { status, message: `it answered ${status}, not 204`, retryAfter: undefined, cause: undefined }
  }
  return {
    // The server may have closed a connection that was kept; writing again what was written changes nothing.
    post: (body, milliseconds) =>
      post(body, milliseconds).catch(error => {
        if (!['ECONNRESET', 'EPIPE'].includes(Reflect.get(Object(error), 'code'))) throw error
        return post(body, milliseconds)
      }),
    close: () => agent.destroy(),
  }
}

function answerOf(error: HttpError): InfluxAnswer {
  const { statusCode: status, json, body, message, headers } = error
  const { message: ofTwo, error: ofOne } = Object(json) as Record<string, unknown>
  const said = [ofTwo, ofOne, body].find(text => typeof text === 'string' && text !== '') ?? message
  return {
    status,
    message: String(said).trim(),
    retryAfter: retryAfterOf(headers?.['retry-after']),
    cause: error,
  }
}

/** The client takes these seconds for milliseconds. (RFC 9110 §10.2.3) */
function retryAfterOf(header: unknown): number | undefined {
  return typeof header === 'string' ? readRetryAfter(header, Date.now()) : undefined
}
