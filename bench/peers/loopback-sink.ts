import { createServer } from 'node:http'
import { announce } from './serve.ts'

// What takes everything and stores nothing, for a service whose own cost is measured: a ledger, and an InfluxDB.

const result = (key: unknown): object => ({
  ok: true,
  tx_id: 'tx_000000019jq09r9an150wsy3',
  payload_hash: '0'.repeat(64),
  status: 'accepted',
  duplicate: false,
  request_id: String(key),
})

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (request.url !== '/v1/events/batch') {
      response.writeHead(request.url?.startsWith('/v1/') ? 404 : 204).end()
      return
    }
    const items = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { idempotency_key: string }[]
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ ok: true, results: items.map(item => result(item.idempotency_key)) }))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => announce(server))
