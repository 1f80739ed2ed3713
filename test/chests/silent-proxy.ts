import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** What stands between a client and its server. */
export interface SilentProxy {
  readonly port: number
  /** From now on it takes everything and passes nothing on, as a network does that drops packets. */
  fallSilent(): void
  /** Lets through again what connects from now on. */
  recover(): void
  /** How many have connected so far. */
  connections(): number
}

/** Starts a proxy that passes everything on to a port, until it is told to fall silent. */
export async function silentProxy(t: TestContext, to: number, host = '127.0.0.1'): Promise<SilentProxy> {
  let isSilent = false
  let connected = 0
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    connected++
    sockets.add(client)
    client.on('error', () => {})
    if (isSilent) return
    const upstream = connect(to, '127.0.0.1')
    sockets.add(upstream)
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => into.destroy())
      from.on('data', data => {
        if (!isSilent) into.write(data)
      })
      from.on('close', () => {
        if (!isSilent) into.destroy()
      })
    }
  }).listen(0, host)
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    fallSilent: () => {
      isSilent = true
    },
    recover: () => {
      isSilent = false
    },
    connections: () => connected,
  }
}
