import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'

test('IF-12 watching a body neither starts nor changes its stream', async t => {
  const { box, recorded } = captureLog()
  const seen: unknown[] = []
  const { url } = await serve(
    t,
    observe(box)(async (request, response) => {
      await new Promise(setImmediate)
      seen.push(request.readableFlowing, request.listenerCount('data'), request.listenerCount('error'))
      request.setEncoding('utf8')
      let text = ''
      for await (const chunk of request) text += chunk
      response.end(text)
    }),
  )
  // Invalid UTF-8: what a decoder makes of it must not be what is hashed.
  const bytes = Buffer.from([0x61, 0xff, 0xfe, 0x62])
  const answer = await fetch(url, { method: 'POST', body: bytes })
  assert.equal(await answer.text(), 'a\ufffd\ufffdb')
  const [record] = await recorded(1)
  assert.deepEqual(seen, [null, 0, 0])
  const expected = await crypto.subtle.digest('SHA-256', bytes)
  assert.equal(record?.body?.hash, Buffer.from(expected).toString('hex'))
})

test('IF-12 a large body that is discarded is hashed as it passes and never kept', async t => {
  const { box, recorded } = captureLog({ includeBody: true })
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    // The second collection waits for the first one's sweeping, which runs beside us.
    collect()
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const chunk = Buffer.alloc(1024 * 1024, 7)
  const before = held()
  let after = 0
  const { port } = await serve(
    t,
    observe(box)((request, response) => {
      request.resume().on('end', () => {
        after = held()
        response.end()
      })
    }),
  )
  const client = httpRequest({ port, method: 'POST', headers: { 'content-length': chunk.length * 64 } })
  for (let i = 0; i < 64; i++) if (!client.write(chunk)) await once(client, 'drain')
  client.end()
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  response.resume()
  const [record] = await recorded(1)
  assert.deepEqual([record?.body?.length, record?.body?.bytes], [chunk.length * 64, null])
  assert.match(record?.body?.hash ?? '', /^[0-9a-f]{64}$/)
  assert(after - before < 8 * 1024 * 1024, `${after - before} of the 64 MiB are held`)
})

test('IF-12 ruling 17: a body read in part has no hash; an empty one is none', async t => {
  const { box, recorded } = captureLog()
  const { url, raw } = await serve(
    t,
    observe(box)((request, response) => {
      if (request.url === '/part') request.once('data', () => request.pause() && response.end())
      else response.end()
    }),
  )
  await fetch(`${url}/part`, { method: 'POST', body: Buffer.alloc(1_000_000) }).then(answer => answer.text())
  await raw(
    'POST /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  )
  await raw('POST /zero HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  const [part, empty, zero] = await recorded(3)
  assert.deepEqual([part?.body?.state, part?.body?.hash], ['incomplete', null])
  assert.deepEqual([empty?.body, zero?.body], [null, null])
})
