import { columnNames, type EventColumns } from '../../events/index.ts'
import type { ProducerRow } from '../../producers/index.ts'
import type { ApiKeyRow, EventRow, HeadRow, LedgerRow } from '../store.ts'
import { indexOf } from './schema.ts'

/** What `node:sqlite` hands back for a row. */
export type SqliteRow = Record<string, null | number | bigint | string | Uint8Array>

/** The columns of `events` in the order in which they are inserted. */
export const eventColumns: readonly string[] = [
  'position',
  'ledger_id',
  'leaf',
  'core_salt',
  'core',
  'context_salt',
  'context',
  'payload_salt',
  'payload',
  'server_salt',
  'server',
  'at',
  'kind',
  ...columnNames,
]

/** A row of `events` as the rest of the ledger sees it. */
export function toEventRow(ledgerId: number, row: SqliteRow): EventRow {
  const columns: Record<string, string | null> = {}
  for (const name of columnNames) columns[name] = row[name] as string | null
  return {
    index: indexOf(ledgerId, Number(row.position)),
    leaf: row.leaf as Uint8Array,
    coreSalt: row.core_salt as Uint8Array | null,
    core: row.core as Uint8Array | null,
    contextSalt: row.context_salt as Uint8Array | null,
    context: row.context as Uint8Array | null,
    payloadSalt: row.payload_salt as Uint8Array | null,
    payload: row.payload as Uint8Array | null,
    serverSalt: row.server_salt as Uint8Array | null,
    server: row.server as Uint8Array | null,
    at: Number(row.at),
    kind: row.kind as EventRow['kind'],
    columns: columns as unknown as EventColumns,
  }
}

/** A row of `heads`. */
export function toHeadRow(row: SqliteRow): HeadRow {
  return { size: Number(row.size), root: row.root as Uint8Array, at: Number(row.at), note: String(row.note) }
}

/** A row of `ledgers`. */
export function toLedgerRow(row: SqliteRow): LedgerRow {
  return {
    ledgerId: Number(row.ledger_id),
    name: String(row.name),
    origin: String(row.origin),
    kind: row.kind as LedgerRow['kind'],
    createdAt: String(row.created_at),
    verifierKeys: String(row.verifier_keys).split('\n'),
    dedupCheck: row.dedup_check as Uint8Array,
  }
}

/** A row of `api_keys`. */
export function toApiKeyRow(row: SqliteRow): ApiKeyRow {
  return {
    keyId: String(row.key_id),
    ledgerId: Number(row.ledger_id),
    principal: String(row.principal),
    name: String(row.name),
    hash: row.hash as Uint8Array,
    scopes: String(row.scopes).split(' '),
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
    replacedBy: row.replaced_by as string | null,
    lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
  }
}

/** A row of `producers`. */
export function toProducerRow(row: SqliteRow): ProducerRow {
  const numberOrNull = (name: string) => (row[name] === null ? null : Number(row[name]))
  const seen = String(row.seen)
  return {
    principal: String(row.principal),
    producerId: String(row.producer_id),
    service: row.service as string | null,
    env: row.env as string | null,
    host: row.host as string | null,
    version: row.version as string | null,
    pid: numberOrNull('pid'),
    startedAt: numberOrNull('started_at'),
    firstAt: Number(row.first_at),
    lastAt: Number(row.last_at),
    highWater: Number(row.high_water),
    queued: Number(row.queued),
    spooled: Number(row.spooled),
    ended: row.ended as ProducerRow['ended'],
    endedAt: numberOrNull('ended_at'),
    missing: Number(row.missing),
    seen: {
      coarseTo: Number(row.coarse_to),
      coarseSeen: Number(row.coarse_seen),
      ranges: seen === '' ? [] : seen.split(' ').map(Number),
    },
  }
}
