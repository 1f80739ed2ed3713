import { createHash } from 'node:crypto'

/**
 * The id of a row that was written without one: the same each time, and no other row's. A UUID of version 8, RFC 9562.
 * @param place what tells the table from those of other databases
 */
export function rowId(place: string, key: number): string {
  const hex = createHash('sha256').update(`${place} ${key}`).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}
