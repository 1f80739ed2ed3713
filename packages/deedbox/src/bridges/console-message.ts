import { format, stripVTControlCharacters } from 'node:util'

/** What the values of one `console` call become. */
export interface ConsoleMessage {
  readonly message: string
  readonly error: Error | undefined
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/**
 * Splits the values of a `console` call. Texts and numbers are the message, put together as Node does; the first error
 * is the line's exception; one plain object gives its members as fields, any other objects are the field `values`, in
 * their order. What is an object never becomes text: as a value it is redacted by its names.
 * @param name stands for the message of a call that has only objects
 */
export function consoleMessage(name: string, values: readonly unknown[]): ConsoleMessage {
  const objects: object[] = []
  let error: Error | undefined
  const shown = (value: object): string => {
    if (!(value instanceof Error)) {
      objects.push(value)
      return Array.isArray(value) ? '[…]' : '{…}'
    }
    if (error === undefined) error = value
    else objects.push(value)
    return value.message
  }

  const [first, ...others] = values
  const texts: string[] = []
  let rest = values
  if (typeof first === 'string') {
    let taken = 0
    texts.push(
      others.length === 0
        ? first
        : first.replace(/%([sdifjoOc%])/g, (placeholder, kind: string) => {
            if (kind === '%') return '%'
            if (taken >= others.length) return placeholder
            const value = others[taken++]
            return isObject(value) ? shown(value) : format(placeholder, value)
          }),
    )
    rest = others.slice(taken)
  }
  for (const value of rest) {
    if (!isObject(value)) texts.push(format('%s', value))
    else if (value instanceof Error) {
      const text = shown(value)
      // Beside a text, the error's own message is in the exception.
      if (values.length === 1) texts.push(text)
    } else objects.push(value)
  }

  const [only] = objects
  const fields =
    only === undefined
      ? undefined
      : objects.length === 1 && isPlain(only)
        ? (only as Record<string, unknown>)
        : { values: objects }
  const message = texts.length > 0 ? texts.join(' ') : (error?.message ?? name)
  return { message: stripVTControlCharacters(message), error, fields }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
