import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { deedbox } from 'deedbox'
import { createLedgerServer, quietPaths, type ServerOptions } from '../http/index.ts'
import type { Ledger } from '../ledger.ts'
import { openTestLedger, tempFolder, testKey } from './temp-ledger.ts'

/** A ledger behind a real socket, with a key that may write, read and verify. */
export interface TestServer {
  url: string
  port: number
  key: string
  folder: string
  ledger: Ledger
  /** What clients only saw as `internal_error`. */
  faults: unknown[]
  /** The server's own log. */
  lines: string[]
  http: Server
  /** Resolves when the server holds no connection any more. */
  hungUp(): Promise<void>
  /** Stops the server as `deedbox serve` does at SIGTERM. */
  stop(): Promise<void>
  /** A call with the key; `body` objects are sent as JSON. */
  call(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>
}

/** An answer, its body parsed if it is JSON. */
export interface Answer {
  status: number
  headers: Headers
  text: string
  json: Record<string, unknown>
}

/** Starts a server on a free port of the loopback interface; it stops with the test. */
export async function startTestServer(
  t: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = await testKey(ledger)
  const faults: unknown[] = []
  const lines: string[] = []
  const box = deedbox({
    service: 'deedbox-ledger',
    ledger: null,
    audit: { requests: false },
    bodyHash: false,
    skipPaths: [...quietPaths],
    flushOnSignal: false,
    log: { sink: line => void lines.push(line) },
  })
  const app = await createLedgerServer(ledger, {
    box,
    folder,
    version: { source: '', version: '0.0.0-test', commit: '', build: '' },
    onFault: error => faults.push(error),
    ...options,
  })
  const sockets = new Set<Socket>()
  app.server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.after(async () => {
    await app.close()
    await box.close()
  })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    key,
    folder,
    ledger,
    faults,
    lines,
    http: app.server,
    async hungUp() {
      while (sockets.size > 0) await once([...sockets][0] as Socket, 'close')
    },
    stop: () => app.close(),
    async call(method, path, { body, headers = {} } = {}) {
      const raw = typeof body === 'string' || body instanceof Uint8Array
      const response = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : {},
      }
    },
  }
}
