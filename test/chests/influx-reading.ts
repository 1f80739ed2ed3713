import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { TrackedValue } from 'deedbox/chests'
import type { SelfSigned } from '../servers/certificates.ts'
import type { Stored } from './chest-harness.ts'

/** A server that InfluxQL is asked of. */
export interface InfluxqlServer {
  readonly port: number
  readonly certificate?: SelfSigned
  /** `user:password`. */
  readonly user?: string
  /** Of InfluxDB 2. */
  readonly token?: string
}

interface Series {
  readonly name: string
  readonly columns: readonly string[]
  readonly values: readonly (readonly (string | number | boolean | null)[])[]
}

/** Asks a question in InfluxQL; times are microseconds. */
export async function influxql(
  { port, certificate, user, token }: InfluxqlServer,
  question: string,
  database?: string,
): Promise<Series[]> {
  const search = new URLSearchParams({ q: question, epoch: 'u', ...(database && { db: database }) })
  const headers: Record<string, string> = {
    ...(user === undefined ? {} : { authorization: `Basic ${btoa(user)}` }),
    ...(token === undefined ? {} : { authorization: `Token ${token}` }),
  }
  const answer =
    certificate === undefined
      ? await (
          await fetch(`http://127.0.0.1:${port}/query`, {
            method: 'POST',
            body: search,
            headers,
          })
        ).text()
      : await securely(port, certificate, search, headers)
  const { results = [], error } = JSON.parse(answer) as {
    readonly results?: readonly { readonly series?: Series[]; readonly error?: string }[]
    readonly error?: string
  }
  const problem = error ?? results.find(result => result.error !== undefined)?.error
  if (problem !== undefined) throw new Error(`${question}: ${problem}`)
  return results.flatMap(({ series = [] }) => series)
}

function securely(
  port: number,
  { cert }: SelfSigned,
  search: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: `/query?${search}`,
      method: 'POST',
      headers,
      ca: cert,
      agent: false,
    }
    request(options, response => resolve(text(response)))
      .on('error', reject)
      .end()
  })
}

const facts = new Set(['request_id', 'service', 'env', 'route', 'method', 'status', 'error'])

/** What a database holds in either layout, read by somebody who knows only the documentation. */
export async function storedIn(server: InfluxqlServer, database: string): Promise<Stored[]> {
  // From all at once, fields of one name would have to be of one type.
  const measurements = (await influxql(server, 'SHOW MEASUREMENTS', database)).flatMap(({ values }) => values)
  const questions = measurements.map(([name]) => `SELECT * FROM "${String(name).replace(/["\\]/g, '\\$&')}"`)
  const series = await influxql(server, questions.join(';') || 'SHOW MEASUREMENTS', database)
  const tagKeys = new Map(
    (await influxql(server, 'SHOW TAG KEYS', database)).map(({ name, values }) => [
      name,
      new Set(values.map(([key]) => String(key))),
    ]),
  )
  return series.flatMap(({ name, columns, values }) =>
    values.flatMap(row => {
      const keys = tagKeys.get(name) ?? new Set()
      const isFlaskChest = keys.has('request_id')
      const found: Record<string, string | number | boolean> = Object.create(null)
      const tags: Record<string, string> = {}
      columns.forEach((column, i) => {
        const value = row[i]
        if (value === null || value === undefined) return
        if (keys.has(column) && !facts.has(column)) tags[column] = plainText(String(value))
        else found[column] = value
      })
      const {
        time,
        request_id,
        service,
        env,
        route = null,
        method = null,
        status = null,
        error,
        ...fields
      } = found
      const shared = { requestId: plainText(String(request_id)), timestamp: Number(time), tags }
      return Object.entries(fields).map(([field, value]): Stored => {
        const [variable, kept] = variableOf(field, value)
        if (isFlaskChest) return { ...shared, name: plainText(name), value: kept }
        const where = { route, method, status } as { route: string | null; method: string; status: number }
        return { ...shared, ...where, name: plainText(variable), value: kept }
      })
    }),
  )
}

/** The variable that a field is of, its name still as fields have it, and its value. */
export function variableOf(field: string, value: string | number | boolean): [string, TrackedValue] {
  const [, variable, ending] = /^(.*)_(string|number|boolean|json|null)$/s.exec(field) ?? []
  if (variable === undefined) return [field, value]
  if (ending === 'null') return [variable, null]
  return [variable, ending === 'json' ? (JSON.parse(String(value)) as TrackedValue) : value]
}

/** Undoes what keys and tags cannot hold. */
export function plainText(name: string): string {
  if (name === '%') return ''
  return name.replace(/%([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))
}
