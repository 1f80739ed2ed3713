import { createRequire } from 'node:module'
import { auditTableServer } from './audit-table.ts'
import { announce } from './serve.ts'

// Fastify and pg, one INSERT for each event, durable before the answer. Argument: the connection string.

/** The few members of `pg` that this needs. */
interface Pool {
  query(
    query: string | { name: string; text: string; values: unknown[] },
  ): Promise<{ rows: Record<string, string>[] }>
}
const { Pool: PgPool } = createRequire(import.meta.url)('pg') as {
  Pool: new (options: { connectionString: string; max: number; idleTimeoutMillis: number }) => Pool
}

// Connections that stay: the CPU time of one that ends would no longer be counted.
const pool = new PgPool({ connectionString: process.argv[2]!, max: 16, idleTimeoutMillis: 0 })
await pool.query(`
  DROP TABLE IF EXISTS deedbox_bench_audit_log;
  CREATE TABLE deedbox_bench_audit_log (
    id UUID PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    idempotency_key TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    event_name TEXT NOT NULL,
    service TEXT NOT NULL,
    request_id TEXT,
    actor_id TEXT,
    meta JSONB NOT NULL,
    payload TEXT NOT NULL
  );
  CREATE INDEX ON deedbox_bench_audit_log (created_at);
  CREATE INDEX ON deedbox_bench_audit_log (event_name);
  CREATE INDEX ON deedbox_bench_audit_log (request_id);
  CREATE INDEX ON deedbox_bench_audit_log (actor_id);
`)
const text = `
  INSERT INTO deedbox_bench_audit_log
    (id, idempotency_key, type, event_name, service, request_id, actor_id, meta, payload)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (idempotency_key) DO NOTHING`
const app = auditTableServer(row =>
  pool.query({
    name: 'insert',
    text,
    values: [
      row.id,
      row.idempotencyKey,
      row.type,
      row.eventName,
      row.service,
      row.requestId,
      row.actorId,
      row.meta,
      row.payload,
    ],
  }),
)
await app.listen({ host: '127.0.0.1', port: 0 })
const { rows } = await pool.query(`
  SELECT name, setting FROM pg_settings
  WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'wal_sync_method', 'shared_buffers')
  ORDER BY name`)
announce(app.server, Object.fromEntries(rows.map(({ name, setting }) => [name, setting])))
