import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Milliseconds for requests under way to end when the server stops. */
const grace = 5_000

/** The same for those that wait for the writer: twice the 10 s that it waits for another process on the file. */
const writeGrace = 22_000

/**
 * When the server is told to stop, requests under way may end, and who dawdles is cut off. Who has sent all of what is to
 * be stored does not dawdle: an event that is stored is acknowledged.
 */
export function closeInTime(app: FastifyInstance): void {
  const connections = new Set<Socket>()
  const storing = new Set<IncomingMessage>()
  let isClosing = false
  app.server.on('connection', socket => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  app.addHook('preHandler', ({ raw }, reply, done) => {
    if (raw.method === 'POST') {
      storing.add(raw)
      reply.raw.once('close', () => storing.delete(raw))
    }
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('preClose', async () => {
    isClosing = true
    setTimeout(() => {
      const kept = new Set([...storing].map(({ socket }) => socket))
      for (const socket of connections) if (!kept.has(socket)) socket.destroy()
    }, grace).unref()
    setTimeout(() => app.server.closeAllConnections(), writeGrace).unref()
  })
}
