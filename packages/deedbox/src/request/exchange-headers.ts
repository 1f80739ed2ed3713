import type { ServerResponse } from 'node:http'
import { secondsText } from './clock.ts'
import { type HeaderName, hasName, hasTable, headerName, readHeader, setOwnHeader } from './header-table.ts'
import type { OwnHeaders } from './response-watch.ts'

/** Which headers each response gets from us. */
export interface ExchangeHeaderSettings {
  /** The response header that carries the request's id; `undefined` sets none. An id that the service has set stays. */
  readonly echoHeader: HeaderName | undefined
  /** Whether `X-Processed-Time` is set. (FA-22) */
  readonly processedTime: boolean
}

const processedHeader = headerName('X-Processed-Time')
const processedStart = `${processedHeader.name}: `

/** Whether the service gives one of these headers by itself. */
export function areGiven({ echoHeader, processedTime }: ExchangeHeaderSettings, given: OwnHeaders): boolean {
  if (echoHeader !== undefined && hasName(given, echoHeader)) return true
  return processedTime && hasName(given, processedHeader)
}

/**
 * Whether the headers can be set on a response when its head is made already, without them: for whoever reads headers of
 * a response after its end. Not where the service has set one of them by itself.
 */
export function canSetLater(
  { echoHeader, processedTime }: ExchangeHeaderSettings,
  response: ServerResponse,
): boolean {
  if (!hasTable(response)) return false
  if (echoHeader !== undefined && readHeader(response, echoHeader) !== undefined) return false
  return !processedTime || readHeader(response, processedHeader) === undefined
}

/** Sets the headers on a response whose head is made already. */
export function setLater(
  { echoHeader, processedTime }: ExchangeHeaderSettings,
  response: ServerResponse,
  id: string,
  processed: number,
): void {
  if (!hasTable(response)) return
  if (echoHeader !== undefined) setOwnHeader(response, echoHeader, id)
  if (processedTime) setOwnHeader(response, processedHeader, secondsText(processed))
}

/** The headers as text, each with its line end. */
export function exchangeHeaderLines(settings: ExchangeHeaderSettings, id: string, processed: number): string {
  const { echoHeader, processedTime } = settings
  const time = processedTime ? `${processedStart}${secondsText(processed)}\r\n` : ''
  return echoHeader === undefined ? time : `${echoHeader.name}: ${id}\r\n${time}`
}

/** Adds the headers to those of `writeHead`, or sets them on the response where there are none. */
export function addExchangeHeaders(
  { echoHeader, processedTime }: ExchangeHeaderSettings,
  response: ServerResponse,
  own: OwnHeaders | undefined,
  id: string,
  processed: number,
): void {
  if (own === undefined) {
    if (echoHeader !== undefined && !response.hasHeader(echoHeader.name))
      setOwnHeader(response, echoHeader, id)
    if (processedTime) setOwnHeader(response, processedHeader, secondsText(processed))
  } else {
    if (echoHeader !== undefined && !hasName(own, echoHeader)) own[echoHeader.name] = id
    if (processedTime) own[processedHeader.name] = secondsText(processed)
  }
}

/** The headers by their names, for an answer of our own. */
export function exchangeHeaders(
  { echoHeader, processedTime }: ExchangeHeaderSettings,
  id: string,
  processed: number,
): Record<string, string> {
  return {
    ...(echoHeader === undefined ? {} : { [echoHeader.name]: id }),
    ...(processedTime ? { [processedHeader.name]: secondsText(processed) } : {}),
  }
}
