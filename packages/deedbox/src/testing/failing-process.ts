// A service process in which something goes wrong inside a request, in the way that HOW names, under the policy
// POLICY. It prints `answered` once the request after it was answered, if it lives that long.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observe } from '../frameworks/node-http.ts'
import { deedbox, type ProcessErrors } from '../index.ts'

const { HOW = '', POLICY = 'log', OWN } = process.env
const box = deedbox({
  service: 'failing',
  ledger: null,
  audit: { requests: false },
  processErrors: POLICY as ProcessErrors,
})
if (OWN !== undefined) process.on('uncaughtException', () => process.exit(9))
const ways: Record<string, () => void> = {
  throw: () => {
    setImmediate(() => {
      throw new Error('nobody catches this')
    })
  },
  reject: () => void Promise.reject(new Error('nobody awaits this')),
  text: () => void Promise.reject('no Error at all'),
  warn: () => process.emitWarning('take care', { type: 'CareWarning', code: 'CARE01' }),
}
const server = createServer(
  observe(box)((request, response) => {
    if (request.url === '/fails') ways[HOW]?.()
    response.end('ok')
  }),
)
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await (await fetch(`${url}/fails`, { headers: { 'x-request-id': 'failing-1' } })).text()
  console.log('answered')
  server.close()
})
