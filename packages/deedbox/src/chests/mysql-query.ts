import type { MysqlChestConnection } from './mysql-pool.ts'

/** Without values, and with names for them off, the driver does not look for places of values in a statement. */
const asItIs = { rowsAsArray: true, typeCast: true, namedPlaceholders: false }

/** Runs one statement. Resolves to how many rows it was about. */
export async function run(connection: MysqlChestConnection, sql: string): Promise<number> {
  const [answer] = await connection.query({ sql, ...asItIs }, null)
  return Number(Object(answer).affectedRows)
}

/** The rows of an answer, each as a list of its columns. */
export async function read(connection: MysqlChestConnection, sql: string): Promise<unknown[][]> {
  const [rows] = await connection.query({ sql, ...asItIs }, null)
  return rows as unknown[][]
}

/** A column as text, whatever a driver made of it. */
export function textOf(column: unknown): string | null {
  if (column === null || column === undefined) return null
  return column instanceof Uint8Array ? Buffer.from(column).toString() : String(column)
}

/** Whether it is one of these errors. https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
export function hasNumber(error: unknown, ...numbers: readonly number[]): boolean {
  return error instanceof Error && numbers.includes(Number(Reflect.get(error, 'errno')))
}
