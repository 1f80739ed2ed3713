import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ServerSentEvent, serverSentEvents } from '../commands/server-sent-events.ts'
import type { StoredEvent } from '../stored-event.ts'
import { testEvent, testKey } from '../testing/temp-ledger.ts'
import { startTestServer, type TestServer } from '../testing/temp-server.ts'
import type { ContentRead } from './read-routes.ts'

interface Tail {
  response: Response
  /** The next message that is an event, or null when the stream has ended. */
  next(): Promise<(ServerSentEvent & { stored: StoredEvent }) | null>
  /** The next message of any kind. */
  message(): Promise<ServerSentEvent | null>
  leave(): void
}

/** Opens a tail and waits until it stands. */
async function openTail(
  t: TestContext,
  server: TestServer,
  query = '',
  headers: Record<string, string> = {},
): Promise<Tail> {
  const control = new AbortController()
  t.after(() => control.abort())
  const response = await fetch(`${server.url}/v1/events/stream${query}`, {
    headers: { authorization: `Bearer ${server.key}`, ...headers },
    signal: control.signal,
  })
  assert.equal(response.status, 200)
  assert(response.body !== null)
  const messages = serverSentEvents(response.body)
  const message = async () => {
    const { value, done } = await messages.next()
    return done === true ? null : (value as ServerSentEvent)
  }
  return {
    response,
    message,
    async next() {
      for (let found = await message(); found !== null; found = await message()) {
        if (found.event === 'event') return { ...found, stored: JSON.parse(found.data) as StoredEvent }
      }
      return null
    },
    leave: () => control.abort(),
  }
}

test('the tail begins now, filters, and shows an event as search does, with its index as id', async t => {
  const reads: ContentRead[] = []
  const server = await startTestServer(t, { onRead: read => reads.push(read) })
  await server.ledger.append(testEvent(1))
  const tail = await openTail(t, server, '?event_name=wanted')
  assert.match(tail.response.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(tail.response.headers.get('cache-control'), 'no-store')
  const first = await tail.message()
  assert.deepEqual([first?.id, first?.data], ['1', ''], 'an id to resume from before any event')
  await server.ledger.append(testEvent(2))
  const wanted = testEvent(3, { meta: { ...testEvent(3).meta, event_name: 'wanted' } })
  const { txId } = await server.ledger.append(wanted)
  const shown = await tail.next()
  assert.equal(shown?.id, '3')
  assert.deepEqual(shown?.stored, server.ledger.event(txId))
  assert.deepEqual(
    reads.map(read => [Object.keys(read).sort(), read.events]),
    [[['events', 'principal'], [txId]]],
  )
})

test('P7 P11 a tail resumes after any index, the first included, by header or parameter', async t => {
  const server = await startTestServer(t)
  for (const n of [1, 2, 3]) await server.ledger.append(testEvent(n))
  const indices = async (query: string, headers: Record<string, string>, count: number) => {
    const tail = await openTail(t, server, query, headers)
    const seen: number[] = []
    while (seen.length < count) seen.push((await tail.next())?.stored.index ?? Number.NaN)
    tail.leave()
    return seen
  }
  assert.deepEqual(await indices('?after=-1', {}, 4), [0, 1, 2, 3])
  assert.deepEqual(await indices('?after=0', {}, 3), [1, 2, 3])
  assert.deepEqual(await indices('?after=0', { 'last-event-id': '2' }, 1), [3])
  assert.deepEqual(await indices(`?since=2000-01-01T00:00:00Z&request_id=request-2`, {}, 1), [2])
  for (const [query, id] of [
    ['?after=4', ''],
    ['?after=-2', ''],
    ['?after=x', ''],
    ['?until=2000-01-01T00:00:00Z', ''],
    ['?limit=1', ''],
    ['?type=fatal', ''],
    ['', 'x'],
    ['', '-0'],
  ]) {
    const headers: Record<string, string> = id === '' ? {} : { 'last-event-id': id! }
    const answer = await server.call('GET', `/v1/events/stream${query}`, { headers })
    assert.deepEqual([answer.status, answer.json.reason], [400, 'invalid_query'], `${query} ${id}`)
  }
  const writer = { authorization: `Bearer ${await testKey(server.ledger, ['write'])}` }
  assert.equal((await server.call('GET', '/v1/events/stream', { headers: writer })).status, 403)
  for (const path of ['/v1/events/stream', '/v1/export']) {
    const authorization = `Bearer ${server.key}`
    const { status } = await fetch(`${server.url}${path}`, { method: 'HEAD', headers: { authorization } })
    assert.equal(status, 200, path)
  }
})

test('P8 the tail of a ledger without entries shows the first one', async t => {
  const server = await startTestServer(t)
  const tail = await openTail(t, server, '?after=-1&kind=event')
  await server.ledger.append(testEvent(1))
  assert.equal((await tail.next())?.stored.request_id, 'request-1')
})

test('what another process writes into the same file is shown', async t => {
  const server = await startTestServer(t)
  const tail = await openTail(t, server)
  await tail.message()
  const script = `
    import { openLedger } from ${JSON.stringify(new URL('../open-ledger.ts', import.meta.url).href)}
    const ledger = await openLedger(${JSON.stringify(join(server.folder, 'ledger.db'))}, {
      keysFolder: ${JSON.stringify(join(server.folder, 'keys'))},
      guard: ${JSON.stringify(join(server.folder, 'guard'))},
      inline: true,
    })
    await ledger.append(${JSON.stringify(testEvent(77))})
    await ledger.close()`
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', script],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal((await tail.next())?.stored.request_id, 'request-77')
})

test('the tails have a cap, and those who leave make room: nothing is left of them', async t => {
  const server = await startTestServer(t, { streams: { tails: 2 } })
  const [first, second] = [await openTail(t, server), await openTail(t, server)]
  await Promise.all([first.message(), second.message()])
  while (server.ledger.view.followers < 2) await nextTurn()
  const refused = await server.call('GET', '/v1/events/stream')
  assert.deepEqual(
    [refused.status, refused.json.reason, refused.headers.get('retry-after')],
    [503, 'overloaded', '1'],
  )
  first.leave()
  second.leave()
  while (server.ledger.view.followers > 0) await nextTurn()
  for (let round = 0; round < 20; round++) {
    const tail = await openTail(t, server, '?after=-1')
    await tail.next()
    tail.leave()
    while (server.ledger.view.followers > 0) await nextTurn()
  }
  assert.deepEqual(server.faults, [])
})

test('a revoked key ends its tail with the reason', async t => {
  const server = await startTestServer(t)
  const tail = await openTail(t, server)
  await tail.message()
  // As another process does it: this server is not told.
  const db = new DatabaseSync(join(server.folder, 'ledger.db'))
  db.prepare('UPDATE api_keys SET revoked_at = ?').run(Date.now())
  db.close()
  const last = await tail.message()
  assert.equal(last?.event, 'problem')
  assert.equal(JSON.parse(last?.data ?? '').reason, 'invalid_api_key')
  assert.equal(await tail.message(), null)
  assert.equal(server.ledger.view.followers, 0)
})

test('a server that stops ends its tails in order', async t => {
  const server = await startTestServer(t)
  const tail = await openTail(t, server)
  await tail.message()
  await server.stop()
  assert.equal(await tail.next(), null)
  assert.deepEqual(server.faults, [])
})

test('a tail without news gives signs of life that carry the index to resume from', async t => {
  const server = await startTestServer(t, { streams: { heartbeat: 5 } })
  const tail = await openTail(t, server, '?event_name=never')
  await tail.message()
  await server.ledger.append(testEvent(1))
  const ids: (string | undefined)[] = []
  while (ids.at(-1) !== '1') {
    const message = await tail.message()
    assert.equal(message?.data, '')
    ids.push(message?.id)
  }
  assert.deepEqual([...new Set(ids)].slice(-2), ['0', '1'].slice(-new Set(ids).size))
})

test('a reader that does not read holds back the store, not the memory, and loses nothing', async t => {
  let shown = 0
  const responses: ServerResponse[] = []
  const server = await startTestServer(t, {
    onRead: read => {
      shown += read.events?.length ?? 0
    },
  })
  server.http.prependListener('request', (_request, response) => responses.push(response))
  const total = 800
  const large = 'x'.repeat(60_000)
  for (let n = 0; n < total; n += 100) {
    const lot = Array.from({ length: 100 }, (_, i) => testEvent(n + i, { payload: large }))
    await server.ledger.appendBatch(lot)
  }
  const tail = await openTail(t, server, '?after=0')
  const [response] = responses
  assert(response !== undefined)
  while (!response.writableNeedDrain) await nextTurn()
  const before = shown
  assert(before < total, `${before} of ${total} were read from the store`)
  await server.ledger.appendBatch(Array.from({ length: 100 }, (_, i) => testEvent(total + i)))
  assert(response.writableLength < 200_000, `${response.writableLength} bytes wait`)
  for (let expected = 1; expected <= total + 100; expected++) {
    assert.equal((await tail.next())?.stored.index, expected)
  }
  assert.equal(shown, total + 100)
})

test('a reader that takes nothing for too long is cut off', async t => {
  const server = await startTestServer(t, { streams: { stall: 20 } })
  const large = 'x'.repeat(60_000)
  for (let n = 0; n < 8; n++) {
    const lot = Array.from({ length: 100 }, (_, i) => testEvent(100 * n + i, { payload: large }))
    await server.ledger.appendBatch(lot)
  }
  const tail = await openTail(t, server, '?after=-1')
  await server.hungUp()
  await assert.rejects(async () => {
    while ((await tail.next()) !== null);
  })
})
