import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Deedbox } from 'deedbox'
import { attachServer } from 'deedbox/http'
import type { Service, ServiceOptions } from './harness.ts'

/** Listens on a free port, and lets the instance attach to the running server where the suite wants that. */
export async function listening(
  server: Server | Http2Server,
  box: Deedbox,
  { attach }: ServiceOptions,
): Promise<Service> {
  const sessions = new Set<ServerHttp2Session>()
  if (!('closeAllConnections' in server)) {
    server.on('session', session => {
      sessions.add(session)
      session.on('close', () => sessions.delete(session))
    })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  if (attach === 'late') attachServer(server, box)
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async stop() {
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      for (const session of sessions) session.destroy()
      await once(server, 'close')
    },
  }
}
