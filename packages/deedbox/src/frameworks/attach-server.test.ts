import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { deedbox } from '../box.ts'
import type { RequestRecord } from '../request/index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { attachServer, observe } from './node-http.ts'

/** A server with an instance attached to it; what the instance records, and its lines. */
async function attached(t: TestContext, server: Server = createServer((_, response) => response.end('ok'))) {
  const { box, records, lines } = captureLog()
  const detach = attachServer(server, box)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await box.close()
  })
  const { port } = server.address() as AddressInfo
  /** Sends bytes on a connection of their own and resolves to what came until it was closed. */
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', data => {
      text += data
    })
    // What the server has not read when it closes makes the system reset the connection.
    socket.on('error', () => undefined)
    socket.write(bytes)
    await new Promise(resolve => socket.on('close', resolve))
    return text
  }
  return { box, detach, server, records, lines, port, exchange }
}

test('ruling 5: malformed requests have records, and Node answers them as before', async t => {
  const { records, lines, exchange } = await attached(t)
  assert.match(await exchange('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 400/)
  await exchange(`GET /big?a=1 HTTP/1.1\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`)
  assert.match(await exchange('GET /dup HTTP/1.1\r\ncontent-length: x\r\n\r\n'), /^HTTP\/1\.1 400/)
  assert.deepEqual(
    records.map(({ status, statusSent, method, eventName }) => [status, statusSent, method, eventName]),
    [
      [400, 400, '-', 'http.malformed'],
      [431, 431, records[1]?.method, 'http.malformed'],
      [400, 400, 'GET', 'http.malformed'],
    ],
  )
  assert.equal(records[2]?.path, '/dup')
  assert.deepEqual(
    (await lines())
      .filter(line => line.status_code !== undefined)
      .map(line => [line.level, line.status_code]),
    [
      ['INFO', 400],
      ['INFO', 431],
      ['INFO', 400],
    ],
  )
})

test('ruling 5: a request that does not arrive in time is recorded with the 408 that Node answers', async t => {
  const server = createServer({ headersTimeout: 200, requestTimeout: 200, connectionsCheckingInterval: 50 })
  const { records, exchange } = await attached(t, server)
  assert.match(await exchange('GET /slow HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1\.1 408/)
  assert.deepEqual([records[0]?.status, records[0]?.statusSent], [408, 408])
})

test('ruling 5: a service that answers malformed requests itself goes on doing so', async t => {
  const server = createServer()
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 418 no\r\n\r\n'))
  const { records, exchange } = await attached(t, server)
  assert.match(await exchange('NONSENSE\r\n\r\n'), /^HTTP\/1\.1 418/)
  assert.deepEqual([records[0]?.status, records[0]?.statusSent], [400, null])
})

test('IF-04 ruling 4: attached while it listens, twice, and beside an adapter, a request counts once', async t => {
  const { box, server, records, detach, exchange } = await attached(t)
  attachServer(server, box)
  server.on(
    'request',
    observe(box)(() => undefined),
  )
  await exchange('GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.deepEqual(
    records.map(({ path, status }) => [path, status]),
    [['/a', 200]],
  )
  detach()
  server.removeAllListeners('request')
  server.on('request', (_, response) => response.end())
  await exchange('GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.equal(records.length, 1, 'nothing after it was undone')
})

test('ruling 4: two instances at one server have a record each, and the client the id of the first', async t => {
  const { server, records, exchange } = await attached(t)
  const others: RequestRecord[] = []
  const other = deedbox({ ledger: null, log: { sink: { write: () => undefined } } })
  t.after(() => other.close())
  other.onRecord(record => others.push(record))
  attachServer(server, other)
  const answer = await exchange('GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.deepEqual([records.length, others.length], [1, 1])
  assert.match(answer, new RegExp(`x-request-id: ${records[0]?.requestId}`, 'i'))
})

test('ruling 5 FA-14: an upgrade is recorded when it is answered, and what its socket says carries its id', async t => {
  const { box, server, records, lines, port } = await attached(t)
  server.on('upgrade', (request, socket) => {
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n')
      return
    }
    if (request.url === '/cut') {
      socket.destroy()
      return
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n')
    socket.on('data', data => {
      box.log.info('heard', { text: String(data) })
      socket.write(data)
    })
  })
  const upgrade = (path: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: up${path}\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n`,
    )
    return socket
  }
  const echo = upgrade('/echo')
  assert.match(String((await once(echo, 'data'))[0]), /101 Switching/)
  assert.deepEqual(
    records.map(({ requestId, status, outcome }) => [requestId, status, outcome]),
    [['up/echo', 101, 'completed']],
    'recorded while the socket is open',
  )
  echo.write('hello')
  assert.equal(String((await once(echo, 'data'))[0]), 'hello')
  assert.deepEqual(
    (await lines()).filter(line => line.message === 'heard').map(line => [line.request_id, line.text]),
    [['up/echo', 'hello']],
  )
  echo.destroy()
  const refused = upgrade('/refused').resume()
  await once(refused, 'close')
  const cut = upgrade('/cut').resume()
  cut.on('error', () => undefined)
  await once(cut, 'close')
  assert.deepEqual(
    records.slice(1).map(({ path, status, statusSent, outcome }) => [path, status, statusSent, outcome]),
    [
      ['/refused', 401, 401, 'completed'],
      ['/cut', 499, null, 'aborted'],
    ],
  )
})

test('FA-23: an upload that breaks off is the abort of its request, and no malformed one beside it', async t => {
  const server = createServer(request => void request.resume())
  const { records, port } = await attached(t, server)
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /up HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf')
  await once(server, 'request')
  socket.end()
  socket.resume()
  await once(socket, 'close')
  while (records.length === 0) await new Promise(setImmediate)
  assert.deepEqual(
    records.map(({ path, outcome, status }) => [path, outcome, status]),
    [['/up', 'aborted', 499]],
  )
})

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
const upgrading = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`

test('ruling 5: an upgrade is answered by its first final head, in whatever pieces', async t => {
  const { box, server, records, exchange } = await attached(t)
  const all = new Promise<void>(resolve => box.onRecord(() => records.length === 4 && resolve()))
  const ways: Record<string, (socket: Duplex) => void> = {
    '/pieces': socket => {
      for (const letter of switching) socket.write(letter)
      socket.end()
    },
    '/empty': socket => {
      socket.write('')
      socket.end(Buffer.from(switching))
    },
    '/information': socket => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      socket.end(switching)
    },
    '/other': socket => socket.end('SSH-2.0-none of HTTP\r\n'),
  }
  server.on('upgrade', (request, socket) => ways[request.url ?? '']?.(socket))
  for (const path of Object.keys(ways)) await exchange(upgrading(path))
  await all
  assert.deepEqual(
    records.map(({ path, statusSent }) => [path, statusSent]),
    [
      ['/pieces', 101],
      ['/empty', 101],
      ['/information', 101],
      ['/other', null],
    ],
  )
})

test('who wraps the socket of an upgrade after us goes on seeing what is written', async t => {
  const { server, exchange } = await attached(t)
  const seen: unknown[] = []
  server.on('upgrade', (_request, socket: Duplex) => {
    const { write } = socket
    socket.write = function (this: Duplex, ...values: Parameters<typeof write>) {
      seen.push(String(values[0]))
      return write.apply(this, values)
    } as typeof write
    socket.write(switching)
    socket.write('frame')
    socket.end()
  })
  assert.equal(await exchange(upgrading('/wrapped')), `${switching}frame`)
  assert.deepEqual(seen, [switching, 'frame'])
})

test('X-17 an error of an upgrade that is told twice is recorded once', async t => {
  const { box, server, records, exchange } = await attached(t)
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.end(switching)
    const broken = new Error('broken')
    box.current()?.fail(broken)
    box.current()?.fail(broken)
  })
  await exchange(upgrading('/late'))
  assert.deepEqual(
    records.map(({ late }) => late),
    [false, true],
  )
})
