// Preloaded into a service under test: tells the parent process on which port it listens.
import { subscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:net'

subscribe('tracing:net.server.listen:asyncEnd', message => {
  const { server } = message as { server: Server }
  const address = server.address()
  if (typeof address === 'object') process.send?.({ port: address?.port })
})
