import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openLoad } from './drive.ts'

/** A server that answers each chunk that it gets with the next of these texts, each written in pieces. */
async function answering(t: TestContext, answers: string[][]): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('data', async () => {
      for (const piece of answers.shift() ?? []) {
        await new Promise(resolve => socket.write(piece, resolve))
        await new Promise(setImmediate)
      }
    })
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return address.port
}

function times(count: number): () => string | undefined {
  let left = count
  return () => (left-- > 0 ? 'GET / HTTP/1.1\r\n\r\n' : undefined)
}

test('answers are told apart however they arrive', async t => {
  const port = await answering(t, [
    ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody'],
    ['HTTP/1.1 202 Acc', 'epted\r\ncontent-length: 6\r', '\n\r\nbo', 'dy', '!!'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])
  const load = await openLoad(port, 1)
  const { requests, latencies } = await load.run(times(3))
  assert.equal(requests, 3)
  assert.equal(latencies.length, 3)
  load.close()
})

for (const [what, answer, wanted] of [
  ['a status that is none of success', 'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', /answered 503/],
  [
    'a refusal inside a success',
    'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok":false}',
    /with a refusal/,
  ],
  [
    'an answer without a length',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    /without Content-Length/,
  ],
] as const) {
  test(`load ends at ${what}`, async t => {
    const load = await openLoad(await answering(t, [[answer]]), 1)
    await assert.rejects(load.run(times(1)), wanted)
    load.close()
  })
}

test('several stretches go through the same connections', async t => {
  const answer = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']
  const load = await openLoad(
    await answering(
      t,
      Array.from({ length: 40 }, () => answer),
    ),
    4,
  )
  assert.equal((await load.run(times(10))).requests, 10)
  assert.equal((await load.run(times(30))).requests, 30)
  load.close()
})
