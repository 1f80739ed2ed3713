/** What means itself between quotation marks, in every character set that a connection may have and in every `sql_mode`. */
const plain = /^[\x20-\x26\x28-\x5b\x5d-\x7e]*$/

/**
 * A value as a part of a statement. Drivers write text by the rules of one `sql_mode` and in the character set of the
 * connection, which may hold fewer characters than the table; this is the same whatever they are.
 */
export function mysqlLiteral(value: string | number | boolean | null): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'number') return String(value)
  if (plain.test(value)) return `'${value}'`
  return `_utf8mb4 x'${Buffer.from(value).toString('hex')}'`
}
