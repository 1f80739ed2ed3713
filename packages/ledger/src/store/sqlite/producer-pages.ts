import type { DatabaseSync } from 'node:sqlite'
import type { ProducerQuery, ProducerRow } from '../../producers/index.ts'
import { type SqliteRow, toProducerRow } from './rows.ts'

/** What a state asks of a row; ?1 is the time before which whoever was not heard of is silent. */
const conditions: Record<NonNullable<ProducerQuery['state']>, string> = {
  live: 'ended IS NULL AND last_at >= ?1',
  silent: 'ended IS NULL AND last_at < ?1',
  ended: "ended = 'clean'",
  crashed: "ended = 'crashed'",
}

/** A page of the table `producers`. A file of schema 1 that is only read has none. */
export function producersOf(db: DatabaseSync, ledgerId: number, query: ProducerQuery): ProducerRow[] {
  if (Number(db.prepare('PRAGMA user_version').get()?.user_version) < 2) return []
  const wanted = ['ledger_id = ?2', '?1 IS NOT NULL']
  const values: (string | number)[] = [query.silentBefore, ledgerId]
  const bind = (value: string | number): string => `?${values.push(value)}`
  if (query.state !== undefined) wanted.push(conditions[query.state])
  if (query.service !== undefined) wanted.push(`service = ${bind(query.service)}`)
  if (query.after !== undefined) {
    const { firstAt, principal, producerId } = query.after
    const [at, who, id] = [bind(firstAt), bind(principal), bind(producerId)]
    wanted.push(`(first_at < ${at} OR (first_at = ${at} AND (principal, producer_id) > (${who}, ${id})))`)
  }
  return db
    .prepare(
      `SELECT * FROM producers WHERE ${wanted.join(' AND ')}
       ORDER BY first_at DESC, principal, producer_id LIMIT ${bind(query.limit)}`,
    )
    .all(...values)
    .map(row => toProducerRow(row as SqliteRow))
}
