import type { Server } from 'node:http'

/** What a peer says when it is ready. */
export interface Announcement {
  port: number
  /** Settings that were read back from its database, if it has one. */
  settings: Record<string, unknown>
}

/** Tells the process that started this one that the server listens, and on which settings it works. */
export function announce(server: Server, settings: Announcement['settings'] = {}): void {
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('The server does not listen on a port.')
  const announcement: Announcement = { port: address.port, settings }
  process.send?.(announcement)
  // Nobody is left to measure this server.
  process.on('disconnect', () => process.exit(0))
}
