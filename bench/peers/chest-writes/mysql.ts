import { mysql } from 'deedbox/chests'
import { createPool } from 'mysql2/promise'
import { type ChestWrites, inParts } from './writes.ts'

/** One `INSERT` of many rows for each write, as the driver makes it of a list. */
export async function open(url: string): Promise<ChestWrites> {
  const admin = createPool({ uri: url.replace(/\/bench$/, ''), connectionLimit: 1 })
  await admin.query('CREATE DATABASE IF NOT EXISTS bench')
  await admin.end()
  const pool = createPool({ uri: url, connectionLimit: 1, dateStrings: true, jsonStrings: true })
  let columns = ''
  let parts: unknown[][][] = []
  return {
    chest: mysql(url),
    async prepare(count) {
      await pool.query('CREATE TABLE driver_rows LIKE tracked_variables')
      const [rows] = await pool.query('SELECT * FROM tracked_variables ORDER BY unique_id')
      const named = (rows as Record<string, unknown>[]).map(({ unique_id, ...row }) => row)
      columns = Object.keys(named[0] ?? {}).join(', ')
      parts = inParts(
        named.map(row => Object.values(row)),
        count,
      )
      await pool.query('TRUNCATE tracked_variables')
    },
    insert: part => pool.query(`INSERT INTO driver_rows (${columns}) VALUES ?`, [parts[part]]),
    close: () => pool.end(),
  }
}
