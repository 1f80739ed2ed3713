import { mysqlLiteral } from './mysql-literal.ts'
import type { MysqlChestConnection } from './mysql-pool.ts'
import { hasNumber, read, run, textOf } from './mysql-query.ts'
import { originalColumns } from './sql-row.ts'

/** What stands beside the columns of Flask-Chest. No text is cut, whatever `sql_mode` says: it has room for all. */
const ownColumns = {
  type: 'varchar(16) CHARACTER SET ascii COLLATE ascii_bin NULL',
  value_json: 'json NULL',
  created_at: 'datetime(6) NULL',
  entry_id: 'varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  route: 'longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  method: 'longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  status: 'int NULL',
  error: 'longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  service: 'longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  env: 'longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL',
  tags: 'json NULL',
}

const indexes = {
  entry_id: 'UNIQUE KEY entry_id (entry_id)',
  request_id: 'KEY request_id (request_id(64))',
  created_at: 'KEY created_at (created_at)',
}

/** How often others may have been faster. */
const attempts = 5

/** Creates what is missing. Each statement does all or nothing, and others may be doing the same. */
export async function createMissing(connection: MysqlChestConnection, table: string): Promise<void> {
  const own = Object.entries(ownColumns)
  const [known] = await read(
    connection,
    `SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ${mysqlLiteral(table)}`,
  )
  let isAdopted = known !== undefined
  await run(
    connection,
    `CREATE TABLE IF NOT EXISTS \`${table}\` (
  unique_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  request_id longtext NULL, name longtext NULL, value longtext NULL,
  ${own.map(([column, type]) => `\`${column}\` ${type}`).join(', ')},
  ${Object.values(indexes).join(', ')}
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
  )
  for (let attempt = 1; ; attempt++) {
    const columns = await firsts(connection, `SHOW COLUMNS FROM \`${table}\``, 0)
    const missing = originalColumns.filter(column => !columns.has(column))
    if (missing.length > 0)
      throw new Error(`the table ${table} is another program's: it has no column ${missing.join(', ')}`)
    const keys = await firsts(connection, `SHOW INDEX FROM \`${table}\``, 2)
    const added = [
      ...own.filter(([column]) => !columns.has(column)).map(([column, type]) => `\`${column}\` ${type}`),
      ...Object.entries(indexes)
        .filter(([name]) => !keys.has(name))
        .map(([, index]) => index),
    ]
    if (added.length === 0) break
    try {
      await run(connection, `ALTER TABLE \`${table}\` ${added.map(part => `ADD ${part}`).join(', ')}`)
      isAdopted &&= columns.has('created_at')
      break
    } catch (error) {
      if (!hasNumber(error, duplicateColumn, duplicateKeyName) || attempt === attempts) throw error
    }
  }
  await run(
    connection,
    `CREATE TABLE IF NOT EXISTS deedbox_chests (
  chest varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  place char(36) CHARACTER SET ascii NOT NULL,
  adopted_at datetime(6) NOT NULL,
  adopted_key bigint unsigned NULL,
  holder varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  held_from datetime(6) NULL,
  held_until datetime(6) NULL
) ENGINE=InnoDB`,
  )
  if (!(await firsts(connection, 'SHOW COLUMNS FROM deedbox_chests', 0)).has('adopted_key'))
    await run(connection, 'ALTER TABLE deedbox_chests ADD adopted_key bigint unsigned NULL').catch(error => {
      if (!hasNumber(error, duplicateColumn)) throw error
    })
  // The rows of a table that was made anew are others, even where they have the keys of those before.
  const again = isAdopted
    ? 'chest = chest'
    : 'place = VALUES(place), adopted_at = VALUES(adopted_at), adopted_key = VALUES(adopted_key)'
  await run(
    connection,
    `INSERT INTO deedbox_chests (chest, place, adopted_at, adopted_key)
VALUES (${mysqlLiteral(table)}, UUID(), UTC_TIMESTAMP(6), (SELECT COALESCE(MAX(unique_id), 0) FROM \`${table}\`))
ON DUPLICATE KEY UPDATE ${again}`,
  )
}

async function firsts(
  connection: MysqlChestConnection,
  sql: string,
  position: number,
): Promise<Set<string | null>> {
  return new Set((await read(connection, sql)).map(row => textOf(row[position])))
}

const duplicateColumn = 1060
const duplicateKeyName = 1061
