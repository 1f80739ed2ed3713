import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Deedbox, type DeedboxOptions, deedbox, type RequestRecord } from 'deedbox'
import { attachServer } from 'deedbox/http'
import { keepLine } from '../../packages/deedbox/src/testing/kept-lines.ts'
import type { Ledger } from '../../packages/ledger/src/ledger.ts'
import type { StoredEvent } from '../../packages/ledger/src/stored-event.ts'
import { openTestLedger, tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import type { FrameworkHarness, Service, ServiceOptions, Stage, TrackedRoute } from './harness.ts'
import { hostileError, receive, wander } from './stage-ways.ts'

/** A log line, parsed. */
export type Line = Record<string, unknown>

/** A service under test with everything that comes out of it, on a real socket and a real ledger. */
export interface Scene {
  box: Deedbox
  ledger: Ledger
  service: Service
  records: RequestRecord[]
  lines: Line[]
  endListeners: number
  /** Attaches a further instance to the server. */
  attach(box: Deedbox): void
  /** Lets `GET /slow` answer. */
  answerSlow(): void
  /** Lets `GET /late` fail. */
  failLate(): void
  /** Resolves when a route of the service has called `stage.arrived`. */
  arrival(): Promise<void>
  /** Resolves to the `count`-th record with this id. */
  record(requestId: string, count?: number): Promise<RequestRecord>
  /** Resolves to the first record that fits. */
  recordOf(fits: (record: RequestRecord) => boolean): Promise<RequestRecord>
  /** The request lines of a request: one, unless the line is written twice. */
  requestLines(requestId: string): Line[]
  /** The events of a request in the ledger, oldest first, once everything is delivered. */
  events(requestId: string): Promise<StoredEvent[]>
}

/** How the service is started, and what its instance is told beside the suite's own settings. */
export interface SceneOptions extends Partial<ServiceOptions> {
  readonly box?: DeedboxOptions
  /** The tracked routes. */
  readonly tracked?: (box: Deedbox) => Record<string, TrackedRoute>
}

/** Builds a scene; it goes with the test. */
export async function setScene(
  t: TestContext,
  harness: FrameworkHarness,
  options: SceneOptions = {},
): Promise<Scene> {
  // What is registered first is closed first: the service, then the instance, then its ledger.
  const opening = Promise.withResolvers<Ledger>()
  const lines: Line[] = []
  const records: RequestRecord[] = []
  const box = deedbox({
    service: 'suite',
    ledger: opening.promise,
    ...options.box,
    log: {
      sink: {
        write: line => {
          keepLine(line)
          lines.push(JSON.parse(line))
        },
      },
      level: 'TRACE',
      ...options.box?.log,
    },
  })
  const waiting = new Set<() => void>()
  box.onRecord(record => {
    records.push(record)
    for (const look of waiting) look()
  })
  let arrived = 0
  const arrivals: (() => void)[] = []
  const slow = Promise.withResolvers<void>()
  const late = Promise.withResolvers<void>()
  const scene = { endListeners: 0 }
  const stage: Stage = {
    arrived: () => {
      arrived++
      for (const go of arrivals.splice(0)) go()
    },
    inEndListener: () => scene.endListeners++,
    mayAnswer: slow.promise,
    mayFailLate: late.promise,
    wander: n => wander(box, n),
    receive: upload => receive(box, upload),
    hostileError: () => hostileError(box),
    tracked: new Map(Object.entries(options.tracked?.(box) ?? {})),
  }
  const service = await harness.start(box, stage, {
    attach: options.attach ?? 'once',
    answers: options.answers ?? false,
    http2: options.http2 ?? false,
    health: options.health,
  })
  t.after(() => service.stop())
  t.after(() => box.close())
  const ledger = await openTestLedger(t, tempFolder(t))
  opening.resolve(ledger)
  const awaited = (fits: (record: RequestRecord) => boolean, count: number): Promise<RequestRecord> =>
    new Promise(resolve => {
      const look = () => {
        const found = records.filter(fits)[count - 1]
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return Object.assign(scene, {
    box,
    ledger,
    service,
    records,
    lines,
    attach: (other: Deedbox) => void attachServer(service.server, other),
    answerSlow: slow.resolve,
    failLate: late.resolve,
    async arrival() {
      if (arrived === 0) await new Promise<void>(resolve => arrivals.push(resolve))
      arrived--
    },
    record: (requestId: string, count = 1) => awaited(record => record.requestId === requestId, count),
    recordOf: (fits: (record: RequestRecord) => boolean) => awaited(fits, 1),
    requestLines: (requestId: string) =>
      lines.filter(line => line.request_id === requestId && 'status_code' in line),
    async events(requestId: string) {
      await box.flush(10_000)
      return ledger.search({ request_id: requestId, order: 'asc' }).events
    },
  })
}

/** What came back over a raw socket. */
export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** One request on a connection of its own; resolves when the connection closes. */
export async function call(
  scene: Scene,
  method: string,
  path: string,
  options: { id?: string; body?: string; headers?: string[] } = {},
): Promise<RawAnswer & { id: string }> {
  const id = options.id ?? randomUUID()
  const socket = await open(scene)
  socket.write(requestText(method, path, id, ['connection: close', ...(options.headers ?? [])], options.body))
  const text = await toEnd(socket)
  return { id, ...parseAnswer(text) }
}

/** Opens a connection to the service. */
export async function open(scene: Scene): Promise<Socket> {
  const socket = connect(scene.service.port, '127.0.0.1')
  socket.setEncoding('latin1')
  await once(socket, 'connect')
  return socket
}

/** The bytes of a request. */
export function requestText(
  method: string,
  path: string,
  id: string,
  headers: string[] = [],
  body?: string,
): string {
  const length =
    body === undefined ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]
  return [
    `${method} ${path} HTTP/1.1`,
    'host: localhost',
    `x-request-id: ${id}`,
    ...length,
    ...headers,
    '',
    body ?? '',
  ].join('\r\n')
}

export function toEnd(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', data => {
    text += data
  })
  socket.on('error', () => undefined)
  return new Promise(resolve => socket.on('close', () => resolve(text)))
}

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...headerLines] = head.split('\r\n')
  const headers = Object.fromEntries(
    headerLines.map(line => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const raw = rest.join('\r\n\r\n')
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(raw) : raw
  return { status: Number(first.split(' ')[1] ?? 0), headers, body }
}

/** The body of a chunked answer, as far as it came. (RFC 9112 §7.1) */
function unchunk(text: string): string {
  let body = ''
  for (let rest = text; rest !== ''; ) {
    const length = Number.parseInt(rest, 16)
    const start = rest.indexOf('\r\n') + 2
    if (!(length > 0) || start < 2) break
    body += rest.slice(start, start + length)
    rest = rest.slice(start + length + 2)
  }
  return body
}
