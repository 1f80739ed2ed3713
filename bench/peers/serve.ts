import type { Server } from 'node:http'

/** Says the port to the process that started this one, once the server listens. */
export function announce(server: Server): void {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.')
  process.send?.(address.port)
  // Nobody is left to measure this server.
  process.on('disconnect', () => process.exit(0))
}
