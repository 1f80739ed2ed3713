import { subscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { health } from '../frameworks/node-http.ts'
import { deedbox } from '../index.ts'

// Asks its own heartbeat, while a subscriber of the channel throws. With an argument, such errors are caught.

if (process.argv[2] !== undefined)
  process.on('uncaughtException', error => process.stdout.write(`caught ${error.message}\n`))

subscribe('deedbox.heartbeat.passed', () => {
  throw new Error('subscriber')
})
const box = deedbox({ ledger: null, processErrors: 'off', log: { sink: () => undefined } })
const server = createServer(health(box)((_request, response) => response.end()))
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/__heartbeat__`)
  process.stdout.write(`answered ${answer.status}\n`)
  process.exit(0)
})
