import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observe } from '../frameworks/node-http.ts'
import { deedbox } from '../index.ts'

// A service that dies while it serves a request, in the way that HOW names.
const box = deedbox({ service: 'dying', audit: { linger: 60_000 } })
const deaths: Record<string, () => unknown> = {
  throw: () => {
    throw new Error('nobody catches this')
  },
  reject: async () => {
    throw new Error('nobody awaits this')
  },
  exit: () => process.exit(7),
}
const server = createServer(
  observe(box)((request, response) => {
    if (request.url === '/ok') return void response.end('ok')
    return deaths[process.env.HOW ?? '']?.()
  }),
)
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (let n = 0; n < 10; n++) await (await fetch(`${url}/ok`)).text()
  await fetch(`${url}/dies`).catch(() => undefined)
})
