import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type Point, parseLines } from './line-protocol.ts'

/** An answer beside those that writing has by itself. */
export interface ScriptedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Or made of what was written. */
  readonly body?: string | ((written: string) => string)
}

/** A request as it came. */
export interface RecordedWrite {
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
  /** A number for each connection. */
  readonly connection: number
}

/** A server that answers writes as InfluxDB 2 does, and keeps the points. It stands in for one; it is none. */
export interface InfluxStandIn {
  readonly port: number
  readonly writes: readonly RecordedWrite[]
  /** By measurement, tags and time: what comes again is there once. */
  points(): Point[]
  /** Answers that the next writes get, one each. */
  readonly script: ScriptedAnswer[]
  /** Has it answer nothing any more. */
  hold(): void
}

/** Starts one for a test. It lets in whoever has the token, to the bucket `vars` of `shop`. */
export async function influxStandIn(t: TestContext, token = ''): Promise<InfluxStandIn> {
  const points = new Map<string, Point>()
  const types = new Map<string, string>()
  const writes: RecordedWrite[] = []
  const script: ScriptedAnswer[] = []
  const connections = new Map<object, number>()
  let isHeld = false
  const server = createServer(async (request, response) => {
    const body = await text(request)
    if (isHeld) return
    writes.push(recorded(request, body, connections))
    const { status, headers, body: said = '' } = script.shift() ?? answerTo(request, body)
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      .end(typeof said === 'string' ? said : said(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })

  const answerTo = ({ url = '', method, headers }: IncomingMessage, body: string): ScriptedAnswer => {
    const { pathname, searchParams: query } = new URL(url, 'http://stand-in')
    if (method !== 'POST' || pathname !== '/api/v2/write') return said(404, 'not found', 'path not found')
    if (headers.authorization !== (token === '' ? undefined : `Token ${token}`))
      return said(401, 'unauthorized', 'unauthorized access')
    if (query.get('org') !== 'shop' || query.get('bucket') !== 'vars')
      return said(404, 'not found', `bucket "${query.get('bucket')}" not found`)
    if (query.get('precision') !== 'ns') return said(400, 'invalid', 'invalid precision')
    if (body === '') return said(400, 'invalid', 'writing requires points')
    try {
      return taken(parseLines(body))
    } catch (error) {
      return said(400, 'invalid', error instanceof Error ? error.message : String(error))
    }
  }

  /** Points with a field of another type are left out, the others are kept; the answer names the first. */
  const taken = (given: readonly Point[]): ScriptedAnswer => {
    const conflicts: string[] = []
    for (const point of given) {
      const { measurement, tags, fields, time } = point
      const conflict = [...fields].find(
        ([key, { type }]) => (types.get(`${measurement}\n${key}`) ?? type) !== type,
      )
      if (conflict !== undefined) {
        const [key, { type }] = conflict
        const known = types.get(`${measurement}\n${key}`)
        conflicts.push(
          `input field "${key}" on measurement "${measurement}" is type ${type}, already exists as type ${known}`,
        )
        continue
      }
      for (const [key, { type }] of fields) types.set(`${measurement}\n${key}`, type)
      const place = JSON.stringify([measurement, [...tags].sort(), String(time)])
      const before = points.get(place)
      points.set(place, before ? { ...point, fields: new Map([...before.fields, ...fields]) } : point)
    }
    if (conflicts.length === 0) return { status: 204 }
    const problem = `partial write: field type conflict: ${conflicts[0]} dropped=${conflicts.length}`
    return said(422, 'unprocessable entity', `failure writing points to database: ${problem}`)
  }

  const { port } = server.address() as AddressInfo
  const hold = (): void => {
    isHeld = true
  }
  return { port, writes, points: () => [...points.values()], script, hold }
}

function said(status: number, code: string, message: string): ScriptedAnswer {
  return { status, body: JSON.stringify({ code, message }) }
}

function recorded(
  { url = '', headers: { authorization }, socket }: IncomingMessage,
  body: string,
  connections: Map<object, number>,
): RecordedWrite {
  if (!connections.has(socket)) connections.set(socket, connections.size + 1)
  return { url, authorization, body, connection: connections.get(socket) ?? 0 }
}
