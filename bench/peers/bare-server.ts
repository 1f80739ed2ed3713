import { createServer } from 'node:http'
import { announce } from './serve.ts'

// What `node:http` can do at most: takes the body, parses the JSON, stores nothing, answers as much as a ledger does.

const answer = JSON.stringify({
  ok: true,
  tx_id: 'tx_000000019jq09r9an150wsy3',
  index: 12_345,
  payload_hash: '0'.repeat(64),
  status: 'accepted',
  duplicate: false,
  request_id: '00000000-0000-0000-0000-000000000000',
})

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { payload } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { payload: unknown }
    response.writeHead(typeof payload === 'string' ? 202 : 400, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(answer),
    })
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => announce(server))
