/** A finished line of our log, taken apart for another logger. */
export interface FinishedLine {
  /** The level's name; `undefined` for a line that is not in the flat format. */
  readonly level: string | undefined
  readonly message: string
  readonly exception: string | undefined
  /** Everything else, without the time: the other logger has its own. */
  readonly fields: Record<string, unknown>
}

/** Takes apart a line in the flat format; of any other one, its text is the message. */
export function finishedLine(line: string): FinishedLine {
  const parsed = jsonObject(line)
  if (typeof parsed?.level !== 'string' || typeof parsed.message !== 'string')
    return { level: undefined, message: line.trimEnd(), exception: undefined, fields: {} }
  const { timestamp, level, message, exception, ...fields } = parsed
  return { level, message, exception: typeof exception === 'string' ? exception : undefined, fields }
}

/** The type and the message that an exception's text begins with: `TypeError: x is no function`. */
export function namedException(exception: string): { readonly type: string; readonly message: string } {
  const [first = ''] = exception.split('\n', 1)
  const [, type, message] = /^([\w.$]+)(?: \[\w+\])?(?:: (.*))?$/.exec(first) ?? []
  return { type: type ?? 'Error', message: message ?? (type === undefined ? first : '') }
}

/** The object that a text is, if it is one in JSON. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
