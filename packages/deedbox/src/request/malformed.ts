import type { ClientAddress } from './client-address.ts'
import { wallMicroseconds } from './clock.ts'
import type { RequestRecord } from './record.ts'

/** Codes under which Node's parser and server give up on what came, and what they answer. */
const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/**
 * The status of the answer to something that could not be read as a request; `undefined` for errors of a connection
 * on which nothing was asked.
 */
export function malformedStatus(error: unknown): number | undefined {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  if (typeof code !== 'string') return undefined
  // A connection that ends between two requests, or before its first one, is none that asked badly.
  if (code === 'HPE_INVALID_EOF_STATE' && rawText(error) === '') return undefined
  return statuses[code] ?? (code.startsWith('HPE_') ? 400 : undefined)
}

/** The record of something that could not be read as a request; as much of its first line as can be read. */
export function malformedRecord(
  error: unknown,
  status: number,
  requestId: string,
  client: ClientAddress,
  scheme: 'http' | 'https',
  isAnswered: boolean,
): RequestRecord {
  const [, method = '-', target = '-', protocol] =
    /^([A-Z]{1,20}) (\S{1,4096})(?: HTTP\/(\d\.\d))?/.exec(rawText(error)) ?? []
  const question = target.indexOf('?')
  // A secret that is cut in two is recognised by nobody, so of a target that is not whole only the path is kept.
  const isWhole = protocol !== undefined
  return Object.freeze({
    schema: 1,
    requestId,
    inboundRequestId: null,
    trace: null,
    startedAt: wallMicroseconds(),
    method,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 || !isWhole ? '' : target.slice(question + 1),
    route: null,
    eventName: 'http.malformed',
    eventDetails: null,
    scheme,
    protocol: protocol ?? '-',
    client,
    userAgent: null,
    referer: null,
    language: null,
    user: null,
    body: null,
    outcome: 'completed',
    status,
    statusSent: isAnswered ? status : null,
    responseLength: 0,
    elapsed: 0,
    ttfb: null,
    error: { thrown: error },
    late: false,
    withheld: false,
    skipped: false,
    values: Object.freeze({}),
  })
}

/** The packet in which the parser stumbled, as far as its first line goes. */
function rawText(error: unknown): string {
  const packet: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'rawPacket') : undefined
  return packet instanceof Uint8Array ? Buffer.from(packet).toString('latin1', 0, 4_096) : ''
}
