import { remember } from '../safety/index.ts'

/** A tag or a field: its key as it is called, and its value. */
export type Member = readonly [key: string, value: string]

/**
 * A point in line protocol. Keys and the measurement are names of {@link pointName}.
 * @param tags values as they are; those without a value are left out, since no server keeps them
 * @param fields values as line protocol writes them
 * @param time nanoseconds since 1970-01-01 UTC
 */
export function pointLine(
  measurement: string,
  tags: readonly Member[],
  fields: readonly Member[],
  time: bigint,
): string {
  let line = measurement.replace(/[, ]/g, '\\$&')
  for (const [key, value] of tags) if (value !== '') line += `,${keyText(key)}=${escaped(pointName(value))}`
  let before = ' '
  for (const [key, value] of fields) {
    line += `${before}${keyText(key)}=${value}`
    before = ','
  }
  return `${line} ${time}`
}

/** A string as a field's value. */
export function quotedField(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/**
 * A measurement, the key of a field, or a key or value of a tag. Line protocol has no way to write control characters there,
 * nor a backslash before a character that it escapes, a `#` at the beginning or no text at all: what is none of these stays
 * as it is, and these are percent-encoded. No two texts become the same one.
 */
export function pointName(text: string): string {
  if (text === '') return '%'
  return text.replace(unwritable, character => {
    const code = character.charCodeAt(0).toString(16).toUpperCase()
    return `%${code.padStart(2, '0')}`
  })
}

const unwritable = /[\u0000-\u001f\u007f]|\\(?=[\\,= ]|$)|%(?=[0-9A-Fa-f]{2})|^%$|^#/g

/** A service has few of them. */
const keyText = remember(escaped, 2_000)

function escaped(text: string): string {
  return text.replace(/[,= ]/g, '\\$&')
}
