import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { TestContext } from 'node:test'

/** A handler on a real socket of 127.0.0.1, gone when the test ends. */
export interface Served {
  readonly port: number
  readonly url: string
  /** Sends bytes on a connection of its own; resolves to everything that came back when it closes. */
  raw(bytes: string): Promise<string>
}

/** Serves a handler of `node:http`. */
export async function serve(t: TestContext, handler: RequestListener): Promise<Served> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async raw(bytes) {
      const socket = connect(port, '127.0.0.1')
      socket.setEncoding('latin1').on('error', () => undefined)
      socket.write(bytes)
      let text = ''
      for await (const chunk of socket) text += chunk
      return text
    },
  }
}
