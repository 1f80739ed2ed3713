// A process of its own that keeps the ids that are posted to it, each once, in a file: `recording-endpoint.ts <file> <port>`.
// An answer means that they are there. It says how many were posted again.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

const [file = '', port = '0'] = process.argv.slice(2)
const known = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [])

const server = createServer(async (request, response) => {
  const ids = (await json(request)) as string[]
  const news = ids.filter(id => !known.has(id))
  for (const id of news) known.add(id)
  appendFileSync(file, news.map(id => `${id}\n`).join(''))
  if (news.length < ids.length) process.stdout.write(`again ${ids.length - news.length}\n`)
  response.writeHead(204).end()
})
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`)
})
