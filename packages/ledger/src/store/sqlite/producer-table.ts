import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ProducerRow } from '../../producers/index.ts'
import { type SqliteRow, toProducerRow } from './rows.ts'

/** The table `producers` on the write path, its statements prepared once per connection. */
export class ProducerTable {
  readonly #find: StatementSync
  readonly #save: StatementSync
  readonly #count: StatementSync
  readonly #prune: StatementSync

  constructor(db: DatabaseSync) {
    const key = 'ledger_id = ? AND principal = ?'
    this.#find = db.prepare(`SELECT * FROM producers WHERE ${key} AND producer_id = ?`)
    this.#save = db.prepare(
      `INSERT OR REPLACE INTO producers (ledger_id, principal, producer_id, service, env, host, version, pid,
         started_at, first_at, last_at, high_water, queued, spooled, ended, ended_at, missing, coarse_to,
         coarse_seen, seen)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#count = db.prepare(`SELECT count(*) AS n FROM producers WHERE ${key}`)
    this.#prune = db.prepare(
      `DELETE FROM producers WHERE ${key} AND producer_id IN (
         SELECT producer_id FROM producers WHERE ${key}
         ORDER BY ended IS NULL OR missing > 0, last_at LIMIT ?)`,
    )
  }

  /** The row, or null. */
  find(ledgerId: number, principal: string, producerId: string): ProducerRow | null {
    const row = this.#find.get(ledgerId, principal, producerId)
    return row === undefined ? null : toProducerRow(row as SqliteRow)
  }

  /** Puts a row in, or in the place of the one with its key. */
  save(ledgerId: number, row: ProducerRow): void {
    this.#save.run(
      ledgerId,
      row.principal,
      row.producerId,
      row.service,
      row.env,
      row.host,
      row.version,
      row.pid,
      row.startedAt,
      row.firstAt,
      row.lastAt,
      row.highWater,
      row.queued,
      row.spooled,
      row.ended,
      row.endedAt,
      row.missing,
      row.seen.coarseTo,
      row.seen.coarseSeen,
      row.seen.ranges.join(' '),
    )
  }

  /** Removes what a writer has beyond `most`, in the order that `StoreTransaction.pruneProducers` names. */
  prune(ledgerId: number, principal: string, most: number): void {
    const surplus = Number(this.#count.get(ledgerId, principal)?.n) - most
    if (surplus > 0) this.#prune.run(ledgerId, principal, ledgerId, principal, surplus)
  }
}
