import { OutgoingMessage, type ServerResponse } from 'node:http'

/** The name of a header as it is written, and in lower case. */
export interface HeaderName {
  readonly name: string
  readonly lower: string
}

/** A name in both forms. */
export function headerName(name: string): HeaderName {
  return { name, lower: name.toLowerCase() }
}

/** Where a response keeps the headers that were set: names as they were written, and values, by names in lower case. */
type HeaderTable = Record<string, readonly [name: string, value: string] | undefined>

const { setHeader } = OutgoingMessage.prototype
const tableKey: unique symbol = findTableKey() as never

/**
 * Sets a header of ours on a response. With headers of Node's own responses that is a write into their table:
 * `setHeader` searches name and value for what a header may not hold, each time, which was measured to cost three times
 * as much as all the rest of it. Wherever somebody has put a `setHeader` of his own, it is called.
 * @param value must be one that a header may have
 */
export function setOwnHeader(response: ServerResponse, { name, lower }: HeaderName, value: string): void {
  const table = tableOf(response)
  if (table === undefined) response.setHeader(name, value)
  else table[lower] = [name, value]
}

/** What `getHeader` gives, which makes the name lower-case each time. */
export function readHeader(
  response: ServerResponse,
  { lower }: HeaderName,
): string | number | readonly string[] | undefined {
  const table = tableOf(response)
  return table === undefined ? response.getHeader(lower) : table[lower]?.[1]
}

/** Whether {@link setOwnHeader} writes into the table of a response, which it then does also after the head is made. */
export function hasTable(response: ServerResponse): boolean {
  return tableOf(response) !== undefined
}

/** Whether headers have a name in whatever case; their own first letter tells most of them apart. */
export function hasName(headers: Readonly<Record<string, unknown>>, { lower }: HeaderName): boolean {
  const first = lower.charCodeAt(0) | 32
  for (const key in headers) {
    if (
      key.length === lower.length &&
      (key.charCodeAt(0) | 32) === first &&
      (key === lower || key.toLowerCase() === lower)
    )
      return true
  }
  return false
}

function tableOf(response: ServerResponse): HeaderTable | undefined {
  if (tableKey === undefined || response.setHeader !== setHeader) return undefined
  // Unlike Reflect.get, this is a place of its own for V8, and costs next to nothing.
  return (response as ServerResponse & { readonly [tableKey]?: HeaderTable | null })[tableKey] ?? undefined
}

/**
 * The symbol under which this version of Node keeps the table; `undefined` where it keeps it in another way, or where
 * somebody has put a `setHeader` in the place of Node's for all messages.
 */
export function findTableKey(): symbol | undefined {
  if (!String(setHeader).includes('kOutHeaders')) return undefined
  const probe = new OutgoingMessage()
  probe.setHeader('X-Probe', 'value')
  return Object.getOwnPropertySymbols(probe).find(key => {
    const table: unknown = Reflect.get(probe, key)
    if (typeof table !== 'object' || table === null || Object.keys(table).join() !== 'x-probe') return false
    const entry: unknown = Reflect.get(table, 'x-probe')
    return Array.isArray(entry) && entry.length === 2 && entry[0] === 'X-Probe' && entry[1] === 'value'
  })
}
