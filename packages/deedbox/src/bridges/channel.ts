import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { isInsideSink, type LogFields, type Logger } from '../log/index.ts'
import { type BridgedLevel, bridgedLine } from './bridged-line.ts'

/** How the messages of a channel become lines. */
export interface CaptureChannelOptions {
  /** Default `info`. */
  readonly level?: BridgedLevel | undefined
  /** The text of the lines. Default the name of the channel. */
  readonly message?: string | undefined
  /**
   * What of a message becomes fields; `undefined` leaves the message out. Default its plain members: texts, numbers,
   * truth values, dates, plain objects and lists; a member `error` becomes the line's exception.
   */
  readonly fields?: ((message: unknown) => LogFields | undefined) | undefined
}

/**
 * Makes each message on a channel of `node:diagnostics_channel` a line of a log, with the id of the request that it was
 * published in and the channel's name as `channel`. (FA-55) Returns how to undo it.
 */
export function captureChannel(
  log: Logger,
  channel: string | symbol,
  options: CaptureChannelOptions = {},
): () => void {
  const { level = 'info', message = String(channel), fields = plainFields } = options
  const named = log.with({ channel: String(channel) })
  let busy = false
  const bridgedMessage = (published: unknown): void => {
    if (busy || isInsideSink()) return
    busy = true
    try {
      const chosen = fields(published)
      if (chosen !== undefined) bridgedLine(named, level, message, errorOf(published), chosen)
    } catch (error) {
      // Whoever publishes must not suffer; Node would make it an uncaught exception.
      bridgedLine(named, 'warning', `A message on ${String(channel)} could not be read`, error, undefined)
    } finally {
      busy = false
    }
  }
  subscribe(channel, bridgedMessage)
  return () => void unsubscribe(channel, bridgedMessage)
}

function errorOf(published: unknown): unknown {
  return isObject(published) && 'error' in published ? published.error : published
}

/** Sockets, requests and other living objects are left out: what they hold is large and not meant to be read. */
function plainFields(published: unknown): LogFields {
  if (!isObject(published)) return published === undefined ? {} : { value: published }
  const error = errorOf(published)
  return Object.fromEntries(
    Object.entries(published).filter(
      ([, value]) => !(value instanceof Error && value === error) && isPlain(value),
    ),
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isPlain(value: unknown): boolean {
  if (!isObject(value)) return typeof value !== 'function' && value !== undefined
  if (Array.isArray(value) || value instanceof Date || value instanceof Error) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
