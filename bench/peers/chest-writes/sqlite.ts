import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { sqlite } from 'deedbox/chests'
import { type ChestWrites, inParts } from './writes.ts'

/** A transaction for each write, prepared once, into a file with the settings of the chest's. */
export async function open(file: string): Promise<ChestWrites> {
  const database = new DatabaseSync(`${file}.driver`)
  let parts: SQLInputValue[][][] = []
  let statement: StatementSync
  return {
    chest: sqlite(file),
    async prepare(count) {
      const from = new DatabaseSync(file, { readOnly: true })
      const settings = ['journal_mode', 'synchronous'].map(
        name => `PRAGMA ${name} = ${Object.values(from.prepare(`PRAGMA ${name}`).get() ?? {})[0]}`,
      )
      const made = from.prepare(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = 'flask_chest' AND sql IS NOT NULL",
      )
      database.exec([...settings, ...made.all().map(({ sql }) => sql)].join(';'))
      const rows = from.prepare('SELECT * FROM flask_chest ORDER BY unique_id').all()
      const columns = Object.keys(rows[0] ?? {}).filter(column => column !== 'unique_id')
      parts = inParts(
        rows.map(row => columns.map(column => row[column] as SQLInputValue)),
        count,
      )
      from.close()
      const filled = new DatabaseSync(file)
      filled.exec('DELETE FROM flask_chest')
      filled.close()
      const values = columns.map(() => '?').join(', ')
      statement = database.prepare(`INSERT INTO flask_chest (${columns.join(', ')}) VALUES (${values})`)
    },
    async insert(part) {
      database.exec('BEGIN IMMEDIATE')
      for (const row of parts[part]!) statement.run(...row)
      database.exec('COMMIT')
    },
    close: async () => database.close(),
  }
}
