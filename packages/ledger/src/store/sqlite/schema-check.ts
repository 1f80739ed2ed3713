import { DatabaseSync } from 'node:sqlite'
import { createTables, schemaVersion } from './schema.ts'

/** One way in which a file's tables, indexes and triggers are not those of a ledger. */
export interface SchemaDifference {
  /** What stands there as, for instance, `trigger swallow`. */
  name: string
  /** Whether rows can still be read as a ledger's: false when a table is missing, added or another one. */
  readable: boolean
  /** A sentence. */
  detail: string
}

/** What an operator's ANALYZE leaves behind: statistics, which change the speed of a search and not its result. */
const statistics = [
  'CREATE TABLE sqlite_stat1(tbl,idx,stat)',
  'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)',
]

const expectedOf = new Map<number, Map<string, string>>()

/**
 * Compares `sqlite_schema` with that of a new ledger. An added trigger, or an index whose definition was changed
 * through `writable_schema`, makes later writes or searches lie while every stored row stays as it was.
 */
export function schemaDifferences(db: DatabaseSync): SchemaDifference[] {
  const expected = expectedSchema(Number(db.prepare('PRAGMA user_version').get()?.user_version))
  const missing = new Map(expected)
  const differences: SchemaDifference[] = []
  for (const { name, text } of entries(db)) {
    const wanted = expected.get(name)
    if (wanted === text && missing.delete(name)) continue
    if (
      wanted === undefined &&
      statistics.some(sql => name.startsWith('table sqlite_stat') && text.endsWith(sql))
    )
      continue
    missing.delete(name)
    const what = wanted === undefined ? 'no ledger has one' : 'it is not defined as in a ledger'
    differences.push({
      name,
      readable: !name.startsWith('table '),
      detail: `The ${name} does not belong here: ${what}.`,
    })
  }
  for (const name of missing.keys()) {
    differences.push({ name, readable: !name.startsWith('table '), detail: `The ${name} is not there.` })
  }
  return differences
}

/** A file of an earlier schema has the tables of that one until it is opened for writing. */
function expectedSchema(version: number): Map<string, string> {
  const known = Math.min(Math.max(version, 1), schemaVersion)
  const made = expectedOf.get(known)
  if (made !== undefined) return made
  const db = new DatabaseSync(':memory:')
  try {
    db.exec(createTables(known))
    const expected = new Map(entries(db).map(({ name, text }) => [name, text]))
    expectedOf.set(known, expected)
    return expected
  } finally {
    db.close()
  }
}

function entries(db: DatabaseSync): { name: string; text: string }[] {
  return db
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .all()
    .map(({ type, name, tbl_name, sql }) => ({ name: `${type} ${name}`, text: `${tbl_name}\n${sql}` }))
}
