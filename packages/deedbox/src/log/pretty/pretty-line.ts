import { flatLineWith, type LineFormat } from '../line.ts'
import { compactRows, exceptionRows } from './compact-view.ts'
import { jsonRows } from './json-view.ts'
import type { FlatRecord } from './known-lines.ts'
import { paint } from './layout.ts'
import type { Palette } from './palettes.ts'

/**
 * How a line is laid out. `compact`: one row with time, level, message, source and request id, the fields indented
 * beneath. `json`: the object itself, indented by two blanks.
 */
export type PrettyView = 'compact' | 'json'

/** How lines are shown to a person. */
export interface PrettyOptions {
  /**
   * Default `compact`. Both views are several lines, indented and coloured, as FA-11 asks; but a request line is
   * some twenty rows of JSON, of which a person looks for four values, and two requests fill a screen. Compact shows
   * the same request in two rows, so that what happened, in which order, is seen without scrolling. What it shortens
   * (the date, long values, payloads of audit events) `json` shows whole.
   */
  readonly view?: PrettyView | undefined
  /** Columns of the terminal, or how to ask for them, since windows change; absent, nothing is wrapped or cut. */
  readonly columns?: number | (() => number | undefined) | undefined
}

/** What is known of a line beside its members. */
export interface PrettyObjectOptions extends PrettyOptions {
  /** The number of its level, for levels of the service's own. */
  readonly number?: number | undefined
  /** The name of its logger. */
  readonly logger?: string | undefined
}

/** Narrower terminals are treated like this one; a terminal that says less than `noTerminal` says nothing. */
const narrowest = 40
const noTerminal = 10

/**
 * Shows one parsed line of the flat format to a person, without a line break at its end. Nothing in the line
 * reaches the terminal as a control character, and the traceback stands beneath, as text. (FA-11, FA-12)
 * @param palette without one, there is no colour
 */
export function prettyObject(
  record: FlatRecord,
  palette: Palette | undefined,
  options: PrettyObjectOptions = {},
): string {
  const { view, number, logger } = options
  const width = widthFrom(options.columns)
  if (view !== 'json') return paint(compactRows(record, { width, number, logger }), palette)
  const { exception, ...others } = record
  if (typeof exception !== 'string') return paint(jsonRows(record), palette)
  return paint([...jsonRows(others), ...exceptionRows(exception, width)], palette)
}

/** A person reads the clock of the place. */
const localLine = flatLineWith({ offset: 'local' })

/** The format of lines that are written for a person; what is redacted in a flat line is redacted here. (FA-11) */
export function prettyLine(options: PrettyOptions & { readonly palette: Palette | undefined }): LineFormat {
  return (head, serializer, fields, exception, onCollision) => {
    const line = localLine(head, serializer, fields, exception, onCollision)
    try {
      const { number, logger } = head
      return prettyObject(JSON.parse(line) as FlatRecord, options.palette, { ...options, number, logger })
    } catch {
      // Readable all the same, and a log call never throws.
      return line
    }
  }
}

function widthFrom(columns: PrettyOptions['columns']): number | undefined {
  const width = typeof columns === 'function' ? columns() : columns
  return width === undefined || !(width >= noTerminal) ? undefined : Math.max(width, narrowest)
}
