import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { observe } from '../frameworks/node-http.ts'
import type { AuditOptions, RequestRecord } from '../index.ts'
import { impatient, waitingLedger } from '../testing/held-responses.ts'
import { aBox, aLedger } from '../testing/ledger-events.ts'
import { keepAll, type Script, until } from '../testing/ledger-stand-in.ts'

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => unknown

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly trailers: Readonly<Record<string, unknown>>
  readonly body: string
}

async function http2Service(t: TestContext, script: Script, audit: AuditOptions, handler: Handler) {
  const ledger = await aLedger(t, script)
  const { box } = aBox(t, { ledger: { url: ledger.url, apiKey: 'key' }, audit: { ...impatient, ...audit } })
  const records: RequestRecord[] = []
  box.onRecord(record => records.push(record))
  const server = createServer(observe(box)(handler)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(async () => {
    session.destroy()
    server.close()
    await once(server, 'close')
  })
  return { box, ledger, records, session }
}

async function call(session: ClientHttp2Session, path: string, method = 'GET'): Promise<Answer> {
  const stream = session.request({ ':path': path, ':method': method })
  stream.on('error', () => undefined)
  let body = ''
  let headers: Record<string, unknown> = {}
  let trailers: Record<string, unknown> = {}
  stream.setEncoding('utf8').on('data', chunk => {
    body += chunk
  })
  stream.on('response', received => {
    headers = { ...received }
  })
  stream.on('trailers', received => {
    trailers = { ...received }
  })
  stream.end()
  await once(stream, 'close')
  const { date, 'x-processed-time': time, 'x-request-id': id, ...same } = headers
  assert.deepEqual([typeof time, typeof id], ['string', 'string'])
  return { status: Number(headers[':status']), headers: same, trailers, body }
}

const writers: Readonly<Record<string, (response: Http2ServerResponse) => unknown>> = {
  '/end': response => response.end('süß'),
  '/nothing': response => response.end(),
  '/head': response => response.writeHead(201, { 'content-type': 'text/plain' }).end('made'),
  '/later': async response => {
    response.write('one')
    await turn()
    response.write('two')
    await turn()
    response.end()
  },
  '/flushed': async response => {
    ;(response as Http2ServerResponse & { flushHeaders(): void }).flushHeaders()
    await turn()
    response.end('body')
  },
  '/204': response => response.writeHead(204).end(),
  '/304': response => response.writeHead(304).end(),
  '/trailers': response => {
    response.write('body')
    response.addTrailers({ 'x-sum': '7' })
    response.end()
  },
  '/piped': response => Readable.from(['a', 'b', 'c']).pipe(response),
  '/big': response => response.end('x'.repeat(1_000_000)),
  '/hints': response => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.end('hinted')
  },
}

test('X-11 HTTP/2: what is let go is what leaves without us waiting', async t => {
  const answers: Answer[][] = []
  for (const mode of ['open', 'closed'] as const) {
    const { session, ledger } = await http2Service(t, keepAll, { mode }, (request, response) =>
      writers[request.url]?.(response),
    )
    const all: Answer[] = []
    for (const path of Object.keys(writers)) all.push(await call(session, path))
    all.push(await call(session, '/nothing', 'HEAD'))
    answers.push(all)
    await until(() => ledger.stored.size === all.length)
  }
  assert.deepEqual(
    answers[0]?.map(({ status }) => status),
    [200, 200, 201, 200, 200, 204, 304, 200, 200, 200, 200, 200],
  )
  assert.deepEqual(answers[1], answers[0])
})

test('X-11 HTTP/2 closed: nothing leaves before the ledger has the event, however much is written', async t => {
  const { script, answer } = waitingLedger()
  let taken = 0
  const { session, ledger } = await http2Service(
    t,
    script,
    { mode: 'closed' },
    async (_request, response) => {
      const piece = 'x'.repeat(10_000)
      for (let n = 0; n < 100; n++) {
        taken += piece.length
        if (!response.write(piece)) await once(response, 'drain')
      }
      assert.equal(response.headersSent, true)
      response.end()
    },
  )
  const stream = session.request({ ':path': '/big' })
  let isBegun = false
  let received = 0
  stream.on('response', () => {
    isBegun = true
  })
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  await until(() => ledger.calls.length === 1)
  for (let n = 0; n < 20; n++) await turn()
  assert.equal(isBegun, false)
  assert.ok(taken <= 100_000, `${taken} bytes were taken`)
  answer()
  await once(stream, 'close')
  assert.equal(received, 1_000_000)
})

test('X-11 HTTP/2 closed: what the ledger does not take is withheld, of streams as well', async t => {
  const handler: Handler = async (request, response) => {
    response.setHeader('set-cookie', 'session=secret')
    if (request.url === '/end') response.end('secret')
    else if (request.url === '/two') {
      response.write('secret')
      response.end('secret')
    } else {
      let isOpen = true
      response.on('close', () => {
        isOpen = false
      })
      while (isOpen) {
        response.write('data: secret\n\n')
        await turn()
      }
    }
  }
  const { session, records, box } = await http2Service(
    t,
    () => 'cut',
    { mode: 'closed', holdTimeout: 40 },
    handler,
  )
  for (const path of ['/end', '/two', '/sse']) {
    const { status, headers, body } = await call(session, path)
    assert.equal(status, 503)
    assert.equal(headers['retry-after'], '1')
    assert.doesNotMatch(JSON.stringify(headers) + body, /secret/)
    assert.equal((JSON.parse(body) as { reason: string }).reason, 'audit_unavailable')
  }
  const head = await call(session, '/end', 'HEAD')
  assert.deepEqual([head.status, head.body], [503, ''])
  await until(() => records.length === 4)
  assert.deepEqual(
    records.map(({ status, outcome, error }) => [status, outcome, error]),
    Array.from({ length: 4 }, () => [503, 'completed', null]),
  )
  assert.deepEqual(box.stats().held, { waited: 4, refused: 4, unkept: 0 })
})

test('FA-23 HTTP/2 a stream that is cancelled while it is held leaves one event', async t => {
  const { script, answer } = waitingLedger()
  const { session, ledger, records, box } = await http2Service(t, script, { mode: 'closed' }, (_, response) =>
    response.end('ok'),
  )
  const stream = session.request({ ':path': '/a' })
  stream.on('error', () => undefined)
  await until(() => ledger.calls.length === 1)
  stream.close(8)
  await until(() => records.length === 1)
  answer()
  await until(() => box.stats().audit.queued === 0)
  assert.equal(ledger.stored.size, 1)
})
