import { postgres } from 'deedbox/chests'
import pg from 'pg'
import { type ChestWrites, inParts } from './writes.ts'

/** One `INSERT` of many rows for each write, prepared by its name. */
export async function open(url: string): Promise<ChestWrites> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  let texts: string[] = []
  let parts: unknown[][][] = []
  return {
    chest: postgres(url),
    async prepare(count) {
      await client.query('CREATE TABLE driver_rows (LIKE tracked_variables INCLUDING ALL)')
      const { rows, fields } = await client.query({
        text: 'SELECT * FROM tracked_variables ORDER BY unique_id',
        rowMode: 'array',
      })
      const [, ...columns] = fields.map(({ name }) => name)
      parts = inParts(
        (rows as unknown[][]).map(([, ...row]) => row),
        count,
      )
      await client.query('TRUNCATE tracked_variables')
      texts = parts.map(part => {
        const groups = part.map(
          (row, at) => `(${row.map((_, i) => `$${at * row.length + i + 1}`).join(',')})`,
        )
        return `INSERT INTO driver_rows (${columns.join(',')}) VALUES ${groups.join(',')}`
      })
    },
    insert: part => client.query({ name: 'many', text: texts[part]!, values: parts[part]!.flat() }),
    close: () => client.end(),
  }
}
