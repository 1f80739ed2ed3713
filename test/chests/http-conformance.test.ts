import { after } from 'node:test'
import { httpWriter, type TrackedValue } from 'deedbox/chests'
import { selfSigned } from '../servers/certificates.ts'
import type { Stored } from './chest-harness.ts'
import { chestConformance } from './conformance.ts'
import { type Recorded, recordingServer } from './recording-server.ts'

const password = 'open-sesame-17'
const authorization = `Basic ${Buffer.from(`shop:${password}`).toString('base64')}`

/** It repeats what it refuses, as debugging endpoints do. */
const server = await recordingServer((response, { url, headers }) => {
  if (!url.startsWith('/denied') || headers.authorization === authorization)
    response.writeHead(201).end('taken')
  else response.writeHead(401).end(`not with ${headers.authorization}`)
})
after(() => server.halt())

/** As an endpoint does that knows `Idempotency-Key`. */
function storedIn(requests: readonly Recorded[], path: string): Stored[] {
  const byKey = new Map<unknown, Recorded>()
  for (const request of requests)
    if (request.url === path) byKey.set(request.headers['idempotency-key'], request)
  return [...byKey.values()].flatMap(({ body, headers }) =>
    (JSON.parse(body) as [string, TrackedValue, string][]).map(([name, value, requestId]) => ({
      name,
      value,
      requestId,
      tags: JSON.parse(String(headers['deedbox-tags'] ?? '{}')),
    })),
  )
}

let places = 0

chestConformance({
  name: 'HTTP',
  skip: false,
  isIdempotent: true,
  isReadable: false,
  async place() {
    const path = `/place-${places++}`
    const url = `${server.origin}${path}`
    let chests = 0
    return {
      open: options => httpWriter({ ...options, url, name: `chest ${chests++}` }),
      stored: async () => storedIn(server.requests, path),
      program: `
        import { httpWriter } from 'deedbox/chests'
        const open = () => httpWriter(${JSON.stringify(url)})`,
    }
  },
  async withWrongCredentials() {
    const wrong = 'open-barley-18'
    return {
      chest: httpWriter(`http://shop:${wrong}@127.0.0.1:${server.port}/denied`),
      password: wrong,
    }
  },
  server,
  async withSelfSigned(t) {
    const secure = await recordingServer(undefined, selfSigned(t))
    t.after(() => secure.halt())
    const url = `${secure.origin}/vars`
    return {
      byDefault: httpWriter(url),
      accepting: httpWriter({ url, verify: false }),
      stored: async () => storedIn(secure.requests, '/vars'),
    }
  },
})
