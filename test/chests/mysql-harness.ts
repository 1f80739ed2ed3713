import { after } from 'node:test'
import { mysql } from 'deedbox/chests'
import { createConnection, createPool, type Pool } from 'mysql2/promise'
import type { SelfSigned } from '../servers/certificates.ts'
import { guardedMariadb } from '../servers/mariadb.ts'
import { guard } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import type { ChestHarness, Stored } from './chest-harness.ts'

let certificate: SelfSigned | undefined
const found = await serverFor(
  guardedMariadb(made => {
    certificate = made
  }),
)

export const skip: string | false = found.skip
const port = found.skip === false ? found.server.port : 0
/** The certificate of the server. */
export const ca: string = certificate?.cert ?? ''
/** By name: of an IP address no certificate can be verified. */
export const url: string = `mysql://root@localhost:${port}/vars`

/** What looks at the server from outside of any chest. */
export const admin: Pool = createPool({
  host: '127.0.0.1',
  port,
  user: 'root',
  connectionLimit: 2,
  database: 'vars',
  jsonStrings: true,
  timezone: 'Z',
})
after(() => admin.end())
if (skip === false) {
  const first = await createConnection({ host: '127.0.0.1', port, user: 'root' })
  await first.query('CREATE DATABASE vars')
  await first.end()
}

let tables = 0

/** The name of a table that is not there. */
export function freshTable(): string {
  return `vars_${++tables}`
}

/** Asks the server from outside of any chest. */
export async function ask(sql: string): Promise<Record<string, unknown>[]> {
  const [rows] = await admin.query(sql)
  return rows as Record<string, unknown>[]
}

/** What is in a table, read by no chest. */
export async function storedIn(table: string): Promise<Stored[]> {
  if ((await ask(`SHOW TABLES LIKE '${table}'`)).length === 0) return []
  const rows = await ask(
    `SELECT *, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) AS at FROM ${table} ORDER BY unique_id`,
  )
  return rows.map(row => ({
    name: String(row.name),
    value: row.type === 'string' ? String(row.value) : JSON.parse(String(row.value)),
    requestId: String(row.request_id),
    timestamp: Number(row.at),
    route: textOrNull(row.route),
    method: textOrNull(row.method),
    status: row.status === null ? null : Number(row.status),
    tags: row.tags === null ? {} : JSON.parse(String(row.tags)),
  }))
}

function textOrNull(column: unknown): string | null {
  return column === null ? null : String(column)
}

/** MariaDB, for the suite of all chests. */
export const mysqlHarness: ChestHarness = {
  name: 'MariaDB',
  skip,
  isIdempotent: true,
  isReadable: true,
  place: async () => {
    const name = freshTable()
    return {
      open: (options = {}) => mysql(url, { name, ...options }),
      stored: () => storedIn(name),
      program: `import { mysql } from 'deedbox/chests'
export const open = () => mysql(${JSON.stringify(url)}, { name: ${JSON.stringify(name)} })`,
    }
  },
  withWrongCredentials: async () => {
    const password = 'not-the-password-of-the-guard'
    const place = `mysql://${guard.user}:${password}@127.0.0.1:${port}/vars`
    return { chest: mysql(place, { name: freshTable() }), password }
  },
  ...(found.skip === false ? { server: found.server } : {}),
  withSelfSigned: async () => {
    const name = freshTable()
    return {
      byDefault: mysql(`${url}?ssl-mode=REQUIRED`, { name }),
      accepting: mysql(url, { name, tls: { verify: false } }),
      stored: () => storedIn(name),
    }
  },
}
