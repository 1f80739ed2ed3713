import type { EventColumns } from '../../events/index.ts'

/**
 * The tables of a ledger file, and for each column what vouches for it.
 *
 * `position` is `ledgerId · 2^40 + index`: one integer key keeps each ledger's events together and in order, and
 * every secondary index ends in it, so that "newest first" needs no sorting and no second tree.
 */
export const schemaVersion = 2

/** "DEED": lets `file` and us tell a ledger from any other SQLite database. */
export const applicationId = 0x44454544

const indexesPerLedger = 2 ** 40

/** The largest ledger id whose positions are exact in a double. */
export const maxLedgerId = 8191

/** The row key of an event. */
export function positionOf(ledgerId: number, index: number): number {
  return ledgerId * indexesPerLedger + index
}

/** The index inside its ledger of the event at a position. */
export function indexOf(ledgerId: number, position: number): number {
  return position - ledgerId * indexesPerLedger
}

/** Positions per segment of {@link createTables}' `event_terms`; divides the positions of a ledger. */
export const segmentLength = 4_096

/** The segment to which the event at a position belongs. */
export function segmentOf(position: number): number {
  return Math.floor(position / segmentLength)
}

/** The first and the last position of a segment. */
export function segmentRange(segment: number): [first: number, last: number] {
  return [segment * segmentLength, (segment + 1) * segmentLength - 1]
}

/** The columns that a search can lead with, the most selective first (see {@link createTables}, `event_terms`). */
export const indexedColumns: readonly (keyof EventColumns)[] = [
  'request_id',
  'trace_id',
  'correlation_id',
  'immutable_trail',
  'subject',
  'actor_id',
  'event_name',
  'service',
  'type',
]

/**
 * Since schema 2: what is known of each producer of events. `seen` has the first and the last of each run of numbers, and
 * stands last, so that looking at the rest does not read it.
 */
const createProducers = `
CREATE TABLE producers (
  ledger_id INTEGER NOT NULL,
  principal TEXT NOT NULL,
  producer_id TEXT NOT NULL,
  service TEXT, env TEXT, host TEXT, version TEXT,
  pid INTEGER,
  started_at INTEGER,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  high_water INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  spooled INTEGER NOT NULL,
  ended TEXT CHECK (ended IN ('clean', 'crashed')),
  ended_at INTEGER,
  missing INTEGER NOT NULL,
  coarse_to INTEGER NOT NULL,
  coarse_seen INTEGER NOT NULL,
  seen TEXT NOT NULL,
  PRIMARY KEY (ledger_id, principal, producer_id)
) STRICT, WITHOUT ROWID;
`

/** What makes a file of each earlier schema one of the next. */
export const migrations: Readonly<Record<number, string>> = { 1: createProducers }

/**
 * The tables of schema 1, made in one transaction on an empty file.
 *
 * `event_terms` is the search index: one row for each event of a full segment and each of its {@link indexedColumns}
 * that has a value, where `term` is a hash of column and value. Identifiers are random, so an index that grows with
 * each event touches a page for each row, the more the larger it is. Here a segment is indexed at once when it is
 * full, in the order of the index: everything is written at its end, and ingest costs the same at any size. A search
 * asks one segment after the other, and reads the events themselves where they have no index yet.
 */
const createFirstTables = `
CREATE TABLE ledgers (
  ledger_id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('events', 'raw')),
  created_at TEXT NOT NULL,
  verifier_keys TEXT NOT NULL,
  dedup_check BLOB NOT NULL
) STRICT;

CREATE TABLE heads (
  ledger_id INTEGER PRIMARY KEY REFERENCES ledgers,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  at INTEGER NOT NULL,
  note TEXT NOT NULL
) STRICT;

CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  ledger_id INTEGER NOT NULL,
  leaf BLOB NOT NULL,
  core_salt BLOB, core BLOB,
  context_salt BLOB, context BLOB,
  payload_salt BLOB, payload BLOB,
  server_salt BLOB, server BLOB,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  type TEXT, event_name TEXT, service TEXT, env TEXT,
  request_id TEXT, trace_id TEXT, immutable_trail TEXT,
  actor_id TEXT, subject TEXT, correlation_id TEXT, outcome TEXT
) STRICT;

CREATE TABLE event_terms (
  segment INTEGER NOT NULL,
  term INTEGER NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (segment, term, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tiles (
  ledger_id INTEGER NOT NULL,
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (ledger_id, level, n)
) STRICT;

CREATE TABLE checkpoints (
  ledger_id INTEGER NOT NULL,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (ledger_id, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  ledger_id INTEGER NOT NULL,
  key_hash BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  idx INTEGER NOT NULL,
  first_idx INTEGER NOT NULL,
  PRIMARY KEY (ledger_id, key_hash, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  key_id TEXT PRIMARY KEY,
  ledger_id INTEGER NOT NULL REFERENCES ledgers,
  principal TEXT NOT NULL,
  name TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  replaced_by TEXT,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
`

/** What makes the tables of a schema: a file of an earlier one can be read as it is. */
export function createTables(version: number = schemaVersion): string {
  let sql = createFirstTables
  for (let from = 1; from < version; from++) sql += migrations[from] ?? ''
  return sql
}

/**
 * What vouches for each column (DESIGN §7.3). `committed`: hashed into the tree, or checked against it.
 * `derived`: computed from committed bytes and compared by full verification. `not attested`: nothing proves it.
 * A test fails on a column that is not listed here.
 *
 * Of a raw ledger only the leaf is committed: its parts and columns are empty, and `events.at` and `heads.at` are the
 * server's own account. Of ledgers beside the first, name, kind, origin and verifier keys are derived from the leaf
 * that records their creation; what is listed here is what holds for the first.
 */
export const attestation: Record<string, Record<string, 'committed' | 'derived' | 'not attested'>> = {
  ledgers: {
    ledger_id: 'not attested',
    name: 'not attested',
    origin: 'committed',
    kind: 'not attested',
    created_at: 'not attested',
    verifier_keys: 'not attested',
    dedup_check: 'not attested',
  },
  heads: {
    ledger_id: 'derived',
    size: 'committed',
    root: 'committed',
    at: 'derived',
    note: 'committed',
  },
  events: {
    position: 'committed',
    ledger_id: 'derived',
    leaf: 'committed',
    core_salt: 'committed',
    core: 'committed',
    context_salt: 'committed',
    context: 'committed',
    payload_salt: 'committed',
    payload: 'committed',
    server_salt: 'committed',
    server: 'committed',
    at: 'derived',
    kind: 'derived',
    type: 'derived',
    event_name: 'derived',
    service: 'derived',
    env: 'derived',
    request_id: 'derived',
    trace_id: 'derived',
    immutable_trail: 'derived',
    actor_id: 'derived',
    subject: 'derived',
    correlation_id: 'derived',
    outcome: 'derived',
  },
  event_terms: { segment: 'derived', term: 'derived', position: 'derived' },
  tiles: { ledger_id: 'derived', level: 'derived', n: 'derived', hashes: 'committed' },
  checkpoints: { ledger_id: 'not attested', size: 'committed', note: 'committed', at: 'not attested' },
  idempotency: {
    ledger_id: 'derived',
    key_hash: 'derived',
    fingerprint: 'not attested',
    idx: 'derived',
    first_idx: 'derived',
  },
  api_keys: {
    key_id: 'derived',
    ledger_id: 'derived',
    principal: 'derived',
    name: 'derived',
    hash: 'derived',
    scopes: 'derived',
    created_at: 'derived',
    expires_at: 'derived',
    revoked_at: 'derived',
    replaced_by: 'derived',
    last_used_at: 'not attested',
  },
  // Working notes. What they say of numbers follows from `meta.producer` of the events, which is committed.
  producers: {
    ledger_id: 'not attested',
    principal: 'not attested',
    producer_id: 'not attested',
    service: 'not attested',
    env: 'not attested',
    host: 'not attested',
    version: 'not attested',
    pid: 'not attested',
    started_at: 'not attested',
    first_at: 'not attested',
    last_at: 'not attested',
    high_water: 'not attested',
    queued: 'not attested',
    spooled: 'not attested',
    ended: 'not attested',
    ended_at: 'not attested',
    missing: 'not attested',
    coarse_to: 'not attested',
    coarse_seen: 'not attested',
    seen: 'not attested',
  },
}
