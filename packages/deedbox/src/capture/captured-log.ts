import { type Deedbox, type DeedboxOptions, deedbox, type RequestRecord } from '../index.ts'

/** One parsed line of a log. */
export type ParsedLine = Record<string, unknown>

/**
 * An instance without a ledger whose lines and records are kept for a test to look at. A test makes an app of its own
 * around it, and no test sees the lines of another. (FA-36)
 */
export interface CapturedLog {
  readonly box: Deedbox
  /** The texts handed to the sink, exactly as they came. */
  readonly texts: string[]
  readonly records: RequestRecord[]
  /** Every line so far, parsed. Throws if one is not exactly one JSON object with one line break at its end. */
  lines(): Promise<ParsedLine[]>
  /** Resolves when so many request records were made; rejects never, so the test's own time-out ends it. */
  recorded(count: number): Promise<RequestRecord[]>
}

/**
 * Makes an instance that logs into memory, one JSON object a line. Requests make no audit lines unless the options ask
 * for them.
 */
export function captureLog(options: DeedboxOptions = {}): CapturedLog {
  const texts: string[] = []
  const records: RequestRecord[] = []
  const waiting = new Set<() => void>()
  const box = deedbox({
    service: 'tested',
    env: 'production',
    ledger: null,
    ...options,
    audit: { requests: false, ...options.audit },
    log: {
      ...(options.log?.sinks === undefined ? { sink: { write: (line: string) => texts.push(line) } } : {}),
      ...options.log,
    },
  })
  box.onRecord(record => {
    records.push(record)
    for (const check of waiting) check()
  })
  return {
    box,
    texts,
    records,
    lines: async () => {
      await box.flush()
      return texts.map(parseLine)
    },
    recorded: count =>
      new Promise(resolve => {
        const check = (): void => {
          if (records.length < count) return
          waiting.delete(check)
          resolve(records)
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Parses one line of a log as strictly as a reader of lines does. */
export function parseLine(text: string): ParsedLine {
  if (!text.endsWith('\n') || /[\r\n]/.test(text.slice(0, -1))) {
    throw new Error(`not exactly one line: ${JSON.stringify(text.slice(0, 200))}`)
  }
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Error(`not an object: ${text.slice(0, 200)}`)
  }
  return parsed as ParsedLine
}
