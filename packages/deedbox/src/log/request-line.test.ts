import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions } from '../index.ts'
import { type CapturedLog, captureLog, type ParsedLine, parseLine } from '../testing/captured-log.ts'
import { writtenSecrets } from '../testing/secrets.ts'
import { serve } from '../testing/served.ts'

interface Asked extends CapturedLog {
  readonly port: number
  /** Sends one request, waits until it is recorded and gives its line. */
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<ParsedLine>
}

async function service(
  t: TestContext,
  handler: (request: IncomingMessage, response: ServerResponse) => unknown,
  options: DeedboxOptions = {},
): Promise<Asked> {
  const captured = captureLog(options)
  t.after(() => captured.box.close())
  const { port } = await serve(t, observe(captured.box, { unhandled: 'answer' })(handler))
  let asked = 0
  return {
    ...captured,
    port,
    ask: async (path, headers = {}, method = 'GET') => {
      const client = httpRequest({ port, path, method, headers, agent: false })
      client.on('response', response => response.resume())
      client.on('error', () => {})
      client.end()
      await captured.recorded(++asked)
      const lines = (await captured.lines()).filter(line => 'path_with_query' in line)
      return lines.at(-1) ?? {}
    },
  }
}

test('FA-15 FA-02 the line of a request that succeeds, key by key', async t => {
  const { ask } = await service(t, (request, response) => response.end(request.url === '/empty' ? '' : 'süß'))
  const line = await ask('/a/b?x=1', {
    referer: 'https://h/p',
    'user-agent': 'curl/8',
    'x-request-id': 'r-1',
  })
  const { timestamp, elapsed, ttfb, remote_ip, ...rest } = line
  assert.deepEqual(Object.keys(line), [
    'timestamp',
    'level',
    'message',
    'request_id',
    'remote_ip',
    'schema',
    'protocol',
    'method',
    'path_with_query',
    'status_code',
    'response_length',
    'elapsed',
    'referer',
    'user_agent',
    'ttfb',
  ])
  assert.deepEqual(rest, {
    level: 'INFO',
    message: 'log request',
    request_id: 'r-1',
    schema: 'http',
    protocol: '1.1',
    method: 'GET',
    path_with_query: '/a/b?x=1',
    status_code: 200,
    response_length: 5,
    referer: 'https://h/p',
    user_agent: 'curl/8',
  })
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
  assert.match(String(remote_ip), /^127\.0\.0\.1:\d+$/)
  for (const seconds of [elapsed, ttfb]) assert.ok(typeof seconds === 'number' && seconds >= 0)
  assert.ok(Number(elapsed) >= Number(ttfb))
})

test('FA-21 ruling 12: an absent referer and user agent print a hyphen', async t => {
  const { ask } = await service(t, (_request, response) => response.end())
  const { referer, user_agent } = await ask('/')
  assert.deepEqual([referer, user_agent], ['-', '-'])
})

test('FA-16 X-07 the line has one address by the trust policy, and the whole chain beside it', async t => {
  const headers = { 'x-forwarded-for': '1.2.3.4, 5.6.7.8' }
  const answer = (_request: IncomingMessage, response: ServerResponse): unknown => response.end()
  const trusting = await service(t, answer, { trustProxy: 1 })
  const believed = await trusting.ask('/', headers)
  assert.equal(believed.remote_ip, '5.6.7.8')
  assert.equal(believed.remote_address_chain, '1.2.3.4, 5.6.7.8, 127.0.0.1')
  const wary = await service(t, answer)
  assert.match(String((await wary.ask('/', headers)).remote_ip), /^127\.0\.0\.1:\d+$/)
})

test('X-08 FA-25 the level follows the status, and the error stands on the line', async t => {
  const { ask } = await service(t, (request, response) => {
    const status = Number(request.url?.slice(1))
    if (status === 0) throw new TypeError('no till')
    response.writeHead(status).end()
  })
  const levels: Record<number, string> = {
    200: 'INFO',
    302: 'INFO',
    404: 'INFO',
    422: 'INFO',
    429: 'WARNING',
    503: 'ERROR',
  }
  for (const [status, level] of Object.entries(levels)) {
    const line = await ask(`/${status}`)
    assert.deepEqual([line.level, line.message, line.status_code], [level, 'log request', Number(status)])
    assert.ok(!('exception' in line))
  }
  const failed = await ask('/0')
  assert.deepEqual([failed.level, failed.message, failed.status_code], ['ERROR', 'Unhandled exception', 500])
  assert.equal(Object.keys(failed).at(-1), 'exception')
  assert.match(String(failed.exception), /^TypeError: no till\n {4}at /)
})

test('FA-23 a client that leaves: one WARNING line, status 499, the status that went out beside it', async t => {
  const { port, lines, recorded } = await service(t, (_request, response) => response.write('part'))
  const client = httpRequest({ port, path: '/stream', agent: false })
  client.on('response', () => client.destroy()).on('error', () => {})
  client.end()
  await recorded(1)
  const [line] = (await lines()).filter(({ path_with_query }) => path_with_query === '/stream')
  const { level, status_code, status_sent, aborted, response_length } = line ?? {}
  assert.deepEqual(
    [level, status_code, status_sent, aborted, response_length],
    ['WARNING', 499, 200, true, 4],
  )
})

test('FA-18 IF-25 no secret of the corpus stands on a request line', async t => {
  const { ask, texts } = await service(t, (_request, response) => response.end())
  for (const { what, text, secret } of writtenSecrets) {
    const plain = text.replaceAll('\n', ' ')
    const query = encodeURIComponent(text)
    await ask(`/x?q=${query}&${query}=1`, { referer: `https://h/?q=${query}`, 'user-agent': plain })
    const line = texts.at(-1) ?? ''
    assert.ok(line.includes('path_with_query'), 'the last line is the request’s')
    for (const form of [secret, encodeURIComponent(secret)])
      assert.ok(!line.includes(form), `${what}: ${line}`)
  }
})

test('FA-18 secret parameters are blanked and everything else is as it was sent', async t => {
  const { ask } = await service(t, (_request, response) => response.end())
  const line = await ask('/a%20b?token=abc&x=%C3%BC&api_key=k', { referer: 'https://u:pw@h/?sid=1&y=2' })
  assert.equal(line.path_with_query, '/a%20b?token=[redacted]&x=%C3%BC&api_key=[redacted]')
  assert.equal(line.referer, 'https://u:[redacted]@h/?sid=[redacted]&y=2')
})

test('FA-30 ruling 12: fields and levels of the caller; a line below the threshold is not written', async t => {
  const answering =
    (captured: () => Asked) =>
    (_request: IncomingMessage, response: ServerResponse): void => {
      captured().box.set({ user_id: 'u_1', password: 'x', level: 'FAKE', request_id: 'spoof' })
      response.end()
    }
  const plain: Asked = await service(
    t,
    answering(() => plain),
  )
  assert.ok(!('user_id' in (await plain.ask('/'))))

  const texts: string[] = []
  const own: Asked = await service(
    t,
    answering(() => own),
    {
      log: {
        sink: { write: text => texts.push(text) },
        level: 'DEBUG',
        requestFields: record => record.values,
        requestLevel: record => (record.path === '/' ? 'DEBUG' : undefined),
      },
    },
  )
  await own.ask('/')
  await own.ask('/other')
  const lines = texts.map(parseLine).filter(line => 'path_with_query' in line)
  assert.deepEqual(
    lines.map(({ level, user_id, password, fields }) => [level, user_id, password, fields]),
    [
      ['DEBUG', 'u_1', '[redacted]', { level: 'FAKE', request_id: 'spoof' }],
      ['INFO', 'u_1', '[redacted]', { level: 'FAKE', request_id: 'spoof' }],
    ],
  )
  for (const { request_id } of lines) assert.notEqual(request_id, 'spoof')
  const before = texts.length
  own.box.log.level = 'INFO'
  await own.ask('/')
  assert.ok(!texts.slice(before).some(text => text.includes('path_with_query')))
})

test('ruling 12: fields of the caller stand in the place of the line’s own, rename them, and may come from the exchange', async t => {
  const { ask, texts } = await service(t, (_request, response) => response.end(), {
    log: {
      requestFields: ({ path, status }, request) => ({
        url: path,
        path_with_query: undefined,
        status_code: `${status}`,
        tenant: request?.headers['x-tenant'],
        request_id: 'spoof',
      }),
    },
  })
  await ask('/a?b=1', { 'x-tenant': 't1', 'x-request-id': 'r-1' })
  const line = texts.map(parseLine).find(({ url }) => url === '/a') ?? {}
  const { request_id, status_code, tenant, fields, path_with_query } = line
  assert.deepEqual(
    [request_id, status_code, tenant, fields, path_with_query],
    ['r-1', '200', 't1', { request_id: 'spoof' }, undefined],
  )
})

test('FA-10 ruling 12: a function of the caller that throws costs its fields, not the line', async t => {
  const captured = await service(t, (_request, response) => response.end(), {
    log: {
      requestFields: () => {
        throw new Error('no fields')
      },
    },
  })
  const line = await captured.ask('/x')
  assert.equal(line.path_with_query, '/x')
})

test('DF-36 the user stands on the line, redacted like any text', async t => {
  const captured: Asked = await service(t, (_request, response) => {
    captured.box.current()?.identify('ann 4111 1111 1111 1111')
    response.end()
  })
  assert.equal((await captured.ask('/x')).user, 'ann [redacted]')
})
