import { after } from 'node:test'
import { postgres } from 'deedbox/chests'
import pg from 'pg'
import type { SelfSigned } from '../servers/certificates.ts'
import { guard, guardedPostgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import type { ChestHarness, Stored } from './chest-harness.ts'

let certificate: SelfSigned | undefined
const found = await serverFor(
  guardedPostgres(made => {
    certificate = made
  }),
)

export const skip: string | false = found.skip
const port = found.skip === false ? found.server.port : 0
/** The certificate of the server. */
export const ca: string = certificate?.cert ?? ''
export const url: string = `postgres://postgres@127.0.0.1:${port}/postgres`

/** What looks at the server from outside of any chest. */
export const admin: pg.Pool = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true })
admin.on('error', () => {})
after(() => admin.end())

let tables = 0

/** The name of a table that is not there. */
export function freshTable(): string {
  return `vars_${++tables}`
}

/** What is in a table, read by no chest. */
export async function storedIn(table: string): Promise<Stored[]> {
  const exists = await admin.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])
  if (!exists.rows[0].there) return []
  const { rows } = await admin.query(
    `SELECT *, round(extract(epoch FROM created_at) * 1000000)::text AS at FROM ${table} ORDER BY unique_id`,
  )
  return rows.map(row => ({
    name: row.name,
    value: row.type === 'string' ? row.value : JSON.parse(row.value),
    requestId: row.request_id,
    timestamp: Number(row.at),
    route: row.route,
    method: row.method,
    status: row.status,
    tags: row.tags ?? {},
  }))
}

/** PostgreSQL, for the suite of all chests. */
export const postgresHarness: ChestHarness = {
  name: 'PostgreSQL',
  skip,
  isIdempotent: true,
  isReadable: true,
  place: async () => {
    const name = freshTable()
    return {
      open: (options = {}) => postgres(url, { name, ...options }),
      stored: () => storedIn(name),
      program: `import { postgres } from 'deedbox/chests'
export const open = () => postgres(${JSON.stringify(url)}, { name: ${JSON.stringify(name)} })`,
    }
  },
  withWrongCredentials: async () => {
    const password = 'not-the-password-of-the-guard'
    const place = `postgres://${guard.user}:${password}@127.0.0.1:${port}/postgres`
    return { chest: postgres(place, { name: freshTable() }), password }
  },
  ...(found.skip === false ? { server: found.server } : {}),
  withSelfSigned: async () => {
    const name = freshTable()
    return {
      byDefault: postgres(`${url}?sslmode=require`, { name }),
      accepting: postgres(url, { name, tls: { verify: false } }),
      stored: () => storedIn(name),
    }
  },
}
