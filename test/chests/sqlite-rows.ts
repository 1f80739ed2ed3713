import type { DatabaseSync } from 'node:sqlite'
import type { TrackedValue } from 'deedbox/chests'
import type { Stored } from './chest-harness.ts'

/** What a client that knows nothing of chests reads; the database is closed then. */
export function rowsOf(database: DatabaseSync, table: string): Stored[] {
  try {
    const rows = database.prepare(`SELECT * FROM ${table} ORDER BY unique_id`).all() as Record<
      string,
      unknown
    >[]
    return rows.map(row => ({
      name: String(row.name),
      value: (row.type === 'string' ? row.value : JSON.parse(String(row.value))) as TrackedValue,
      requestId: String(row.request_id),
      timestamp: Number(row.created_at),
      route: row.route as string | null,
      method: row.method as string | null,
      status: row.status as number | null,
      tags: JSON.parse(String(row.tags)) as Record<string, string>,
    }))
  } finally {
    database.close()
  }
}
