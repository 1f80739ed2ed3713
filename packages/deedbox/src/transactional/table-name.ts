import { ConfigurationError } from '../safety/index.ts'

/** Where the outbox's rows are. */
export interface TableOptions {
  /** Default `deedbox_outbox`. Any name that the database allows; it is quoted. */
  readonly table?: string
  /** The schema (MySQL: database) that holds it. Default: where the connection looks first. */
  readonly schema?: string
}

/** PostgreSQL shortens longer names silently, and two could become one. Bytes of UTF-8. */
const longestName = 63

/**
 * The quoted name of the outbox's table.
 * @param mark the database's quotation mark for names
 * @throws ConfigurationError for a name that no database would keep as it is
 */
export function quotedTable({ table = 'deedbox_outbox', schema }: TableOptions, mark: '"' | '`'): string {
  const name = quoted('outbox.table', table, mark)
  return schema === undefined ? name : `${quoted('outbox.schema', schema, mark)}.${name}`
}

function quoted(setting: string, name: unknown, mark: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || !name.isWellFormed())
    throw new ConfigurationError(setting, 'a name is needed: text that is not empty.')
  if (Buffer.byteLength(name) > longestName)
    throw new ConfigurationError(setting, `a name may have ${longestName} bytes; this has more.`)
  return mark + name.replaceAll(mark, mark + mark) + mark
}
