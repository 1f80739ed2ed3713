import { DatabaseSync } from 'node:sqlite'
import { auditTableServer } from './audit-table.ts'
import { announce } from './serve.ts'

// Fastify and node:sqlite, one INSERT for each event, durable before the answer. Argument: the database's path.

const db = new DatabaseSync(process.argv[2]!)
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE audit_log (
    id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    idempotency_key TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    event_name TEXT NOT NULL,
    service TEXT NOT NULL,
    request_id TEXT,
    actor_id TEXT,
    meta TEXT NOT NULL,
    payload TEXT NOT NULL
  );
  CREATE INDEX audit_log_created_at ON audit_log (created_at);
  CREATE INDEX audit_log_event_name ON audit_log (event_name);
  CREATE INDEX audit_log_request_id ON audit_log (request_id);
  CREATE INDEX audit_log_actor_id ON audit_log (actor_id);
`)
const insert = db.prepare(`
  INSERT INTO audit_log (id, idempotency_key, type, event_name, service, request_id, actor_id, meta, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (idempotency_key) DO NOTHING`)
const app = auditTableServer(row =>
  insert.run(
    row.id,
    row.idempotencyKey,
    row.type,
    row.eventName,
    row.service,
    row.requestId,
    row.actorId,
    row.meta,
    row.payload,
  ),
)
await app.listen({ host: '127.0.0.1', port: 0 })
const settings = ['journal_mode', 'synchronous', 'page_size'].map(name => [
  name,
  Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0],
])
announce(app.server, Object.fromEntries(settings))
