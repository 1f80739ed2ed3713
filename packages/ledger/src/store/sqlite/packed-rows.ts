import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { columnNames } from '../../events/index.ts'
import { indexOf, positionOf } from './schema.ts'

/**
 * A row of `events` with its nine byte strings in one, which is three times as fast to read: making a byte array costs
 * more than filling it. Nothing about it is believed: an integer that no ledger would have written is -1.
 */
export interface PackedRow {
  index: number
  ledgerColumn: number
  at: number
  kind: string
  /** The leaf, then salt and content of each part, without gaps; null when one of them is missing. */
  bytes: Buffer | null
  /** Of the leaf and of the contents of core, context, payload and server, in bytes. Every salt has 32. */
  lengths: readonly number[]
  /** The search columns in the order of `columnNames`. */
  columns: readonly unknown[]
}

const parts = ['core', 'context', 'payload', 'server'] as const
const contents = parts.flatMap(part => [`${part}_salt`, part])

/** Salts of any other length would move the borders inside the packed bytes: such a row is not packed. */
const packed = `CASE WHEN ${parts.map(part => `length(${part}_salt) = 32`).join(' AND ')}
  THEN CAST(${['leaf', ...contents].join(' || ')} AS BLOB) END`
const lengths = ['leaf', ...parts].map(column => `length(${column})`).join(', ')
const columns = columnNames.join(', ')
const selection = `position, ${exact('ledger_id')}, ${exact('at')}, kind, ${packed}, ${lengths}, ${columns}`

/** The rows of `[from, to)` in order. */
export function* packedRows(
  db: DatabaseSync,
  ledgerId: number,
  from: number,
  to: number,
): Generator<PackedRow> {
  const statement = db.prepare(
    `SELECT ${selection} FROM events WHERE position >= ? AND position < ? ORDER BY position`,
  )
  for (const row of valuesOf(statement, positionOf(ledgerId, from), positionOf(ledgerId, to))) {
    const bytes = row[4] as Uint8Array | null
    yield {
      index: indexOf(ledgerId, Number(row[0])),
      ledgerColumn: Number(row[1]),
      at: Number(row[2]),
      kind: String(row[3]),
      bytes: bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      lengths: row.slice(5, 10) as number[],
      columns: row.slice(10),
    }
  }
}

/** The rows as lists of values, which are made in half the time of objects; Node has them from 22.16 and 24.0 on. */
export function* valuesOf(
  statement: StatementSync,
  ...parameters: (number | string)[]
): Generator<readonly unknown[]> {
  if (typeof statement.setReturnArrays === 'function') {
    statement.setReturnArrays(true)
    yield* statement.iterate(...parameters) as unknown as Iterable<readonly unknown[]>
  } else for (const row of statement.iterate(...parameters)) yield Object.values(row)
}

/** An integer column that is read as -1 where it has no exact value in a double. */
export function exact(column: string): string {
  return `CASE WHEN ${column} IS NULL OR ${column} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} THEN ${column} ELSE -1 END AS ${column}`
}
