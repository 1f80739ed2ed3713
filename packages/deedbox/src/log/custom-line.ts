import { flatLine, type LineFormat } from './line.ts'

/** One line as a format of one's own gets it: what the flat format writes, read back. Secrets are blanked. */
export interface LogLine {
  readonly timestamp: string
  readonly level: string
  readonly message: string
  readonly source?: string
  readonly request_id?: string
  readonly exception?: string
  readonly [field: string]: unknown
}

/** Renders a line, without its end. */
export type LineFormatter = (line: LogLine) => string

/**
 * A format of the service's own. Where it throws, or gives no text, the line is written in the flat format: a format
 * must cost no line. (Ruling 12)
 * @param onFailure told what it threw
 */
export function customLine(format: LineFormatter, onFailure: (error: unknown) => void): LineFormat {
  return (head, serializer, fields, exception, onCollision) => {
    const flat = flatLine(head, serializer, fields, exception, onCollision)
    try {
      const text: unknown = format(JSON.parse(flat) as LogLine)
      if (typeof text === 'string') return text
      if (text instanceof Promise) text.catch(() => undefined)
      onFailure(new TypeError('The format gave no text.'))
    } catch (error) {
      onFailure(error)
    }
    return flat
  }
}
