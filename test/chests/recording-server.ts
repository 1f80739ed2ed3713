import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { SelfSigned } from '../servers/certificates.ts'

/** A request that was read to its end. */
export interface Recorded {
  readonly method: string
  /** The path, with its query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers a request, which is on record by then. */
export type Answering = (response: ServerResponse, request: Recorded) => unknown

/** A real HTTP server that keeps what it gets. */
export interface RecordingServer {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly origin: string
  readonly requests: Recorded[]
  /** Connections that were made. */
  readonly connections: number
  /** Ends it and all its connections, also with requests under way. */
  halt(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
}

/** Starts a server; by default it answers 204. With a certificate it speaks HTTPS. */
export async function recordingServer(
  answer: Answering = response => response.writeHead(204).end(),
  certificate?: SelfSigned,
): Promise<RecordingServer> {
  const requests: Recorded[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url = '', headers } = request
    try {
      const recorded = { method, url, headers, body: (await buffer(request)).toString() }
      requests.push(recorded)
      await answer(response, recorded)
    } catch {
      response.destroy()
    }
  }
  const server =
    certificate === undefined
      ? createServer(listener)
      : createSecureServer({ cert: certificate.cert, key: certificate.key }, listener)
  let connections = 0
  server.on('connection', () => connections++)
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
    async halt() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    start: () => listen(port),
  }
}

/** A server for one test. */
export async function aServer(
  t: TestContext,
  answer?: Answering,
  certificate?: SelfSigned,
): Promise<RecordingServer> {
  const server = await recordingServer(answer, certificate)
  t.after(() => server.halt())
  return server
}
