import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions, RequestScope } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'

/** A line of mozlog, its `Timestamp` kept as text because it exceeds what a number holds. */
interface Moz {
  readonly stamp: string
  readonly [key: string]: unknown
  readonly Fields: Readonly<Record<string, unknown>>
}

async function mozService(
  t: TestContext,
  options: DeedboxOptions = {},
  inside: (scope: RequestScope | undefined) => void = () => undefined,
) {
  const lines: string[] = []
  const log = {
    format: 'mozlog',
    sink: { write: (text: string) => lines.push(text) },
    ...options.log,
  } as const
  const captured = captureLog({ ...options, log })
  t.after(() => captured.box.close())
  const served = await serve(
    t,
    observe(captured.box, { unhandled: 'answer' })((request, response) => {
      inside(captured.box.current())
      if (request.url === '/throw') throw new Error('broken {"a":1}')
      response.statusCode = request.url === '/missing' ? 404 : 200
      response.end()
    }),
  )
  let asked = 0
  return {
    box: captured.box,
    lines,
    ask: async (path: string, headers: Record<string, string> = {}): Promise<Moz[]> => {
      const before = lines.length
      await served.raw(
        `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${Object.entries(headers)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n`,
      )
      await captured.recorded(++asked)
      await captured.box.flush()
      return lines.slice(before).map(readMoz)
    },
  }
}

/** Reads a line as strictly as the schema of mozlog has it. (DF-44, DF-47) */
function readMoz(text: string): Moz {
  const line = JSON.parse(text) as Record<string, unknown>
  const { Fields: fields } = line
  assert.deepEqual(Object.keys(line), [
    'Timestamp',
    'Type',
    'Logger',
    'Hostname',
    'EnvVersion',
    'Pid',
    'Severity',
    'Fields',
  ])
  assert.ok(typeof fields === 'object' && fields !== null && Object.keys(fields).length > 0, text)
  for (const [key, value] of Object.entries(fields)) {
    const kinds = new Set(Array.isArray(value) ? value.map(entry => typeof entry) : [typeof value])
    const [kind = ''] = kinds
    assert.ok(kinds.size === 1 && ['string', 'number', 'boolean'].includes(kind), `${key} of ${text}`)
  }
  const stamp = /^\{"Timestamp":(\d+),/.exec(text)?.[1] ?? ''
  return { ...line, stamp, Fields: fields as Moz['Fields'] }
}

test('DF-33 DF-34 DF-38 DF-39 DF-43 DF-44 DF-50 the request.summary of a request that succeeds', async t => {
  const { ask } = await mozService(t, { service: 'shop' })
  const from = BigInt(Date.now()) * 1_000_000n
  const [line] = await ask('/a/b?x=1', {
    'user-agent': 'curl/8',
    'accept-language': 'pt-BR',
    'x-request-id': 'r-1',
  })
  assert.ok(line !== undefined)
  assert.match(line.stamp, /^\d{19}$/)
  assert.ok(BigInt(line.stamp) >= from - 1_000_000n && BigInt(line.stamp) < from + 60_000_000_000n)
  const { Type, Logger, Hostname, EnvVersion, Pid, Severity } = line
  assert.deepEqual(
    [Type, Logger, Hostname, EnvVersion, Pid, Severity],
    ['request.summary', 'shop', hostname(), '2.0', process.pid, 6],
  )
  const { t: milliseconds, ...fields } = line.Fields
  assert.ok(Number.isInteger(milliseconds))
  assert.deepEqual(fields, {
    rid: 'r-1',
    errno: 0,
    code: 200,
    agent: 'curl/8',
    lang: 'pt-BR',
    method: 'GET',
    path: '/a/b',
    uid: '',
    remoteAddressChain: ['127.0.0.1'],
  })
  const [bare] = await ask('/')
  assert.deepEqual([bare?.Fields.agent, bare?.Fields.lang, 'msg' in (bare?.Fields ?? {})], ['', '', false])
})

test('DF-40 DF-41 an exception is one ERROR record with text and traceback; a 404 has its code and is INFO', async t => {
  const { ask } = await mozService(t)
  const thrown = await ask('/throw')
  assert.equal(thrown.length, 1)
  const [line] = thrown
  assert.deepEqual(
    [line?.Severity, line?.Fields.errno, line?.Fields.code, line?.Fields.msg, line?.Fields.error],
    [3, 500, 500, 'broken {"a":1}', 'Error: broken {"a":1}'],
  )
  assert.match(String(line?.Fields.traceback), /^Uncaught exception:\nError: broken/)
  const [missing] = await ask('/missing')
  assert.deepEqual([missing?.Severity, missing?.Fields.errno, missing?.Fields.code], [6, 404, 404])
})

test('DF-35 the query stands in a summary when it is asked for, decoded and redacted', async t => {
  const off = await mozService(t)
  assert.ok(!('querystring' in ((await off.ask('/?a=1'))[0]?.Fields ?? {})))
  const on = await mozService(t, { log: { summaryQuery: true } })
  const [line] = await on.ask('/?name=S%C3%A3o&token=abc%20def&bad=%ff')
  assert.equal(
    line?.Fields.querystring,
    'name=S%C3%A3o&token=[redacted]&bad=%ff',
    'not decodable, so as sent',
  )
  const [good] = await on.ask('/?name=S%C3%A3o&token=abc')
  assert.equal(good?.Fields.querystring, 'name=São&token=[redacted]')
})

test('DF-36 the user of a request, also when asking for it fails', async t => {
  let user: string | (() => unknown) = 'u_42'
  const { ask } = await mozService(t, {}, scope => scope?.identify(user))
  assert.equal((await ask('/'))[0]?.Fields.uid, 'u_42')
  user = () => {
    throw new Error('the database is gone')
  }
  assert.equal((await ask('/'))[0]?.Fields.uid, '')
  user = () => 7
  assert.equal((await ask('/'))[0]?.Fields.uid, '7')
})

test('DF-37 another header carries the request id when it is named', async t => {
  const { ask } = await mozService(t, { requestId: { header: 'X-Cloud-Trace-Context' } })
  const [line] = await ask('/', { 'x-cloud-trace-context': 'trace-7', 'x-request-id': 'other' })
  assert.equal(line?.Fields.rid, 'trace-7')
})

test('DF-42 X-10 a skipped path leaves a summary only when it did not go well', async t => {
  const { ask } = await mozService(t, { skipPaths: ['/missing', '/quiet'] })
  assert.deepEqual(
    (await ask('/missing')).map(line => line.Fields.code),
    [404],
  )
  const { lines, box } = await mozService(t, { skipPaths: ['/quiet'] })
  await box.flush()
  assert.deepEqual(lines, [])
})

test('DF-46 DF-52 log calls carry the id; a message that is JSON becomes fields; nothing is nested or null', async t => {
  const box: { log?: (message: string, fields?: Record<string, unknown>) => void } = {}
  const service = await mozService(t, {}, () => {
    box.log?.('{"kind":"json","n":null}', { nested: { a: 1 }, mixed: [1, 'a'], list: ['a'], none: null })
    box.log?.('', {})
  })
  box.log = (message, fields) => service.box.log.warning(message, fields)
  const [first, second] = await service.ask('/', { 'x-request-id': 'r-2' })
  const { source, ...fields } = first?.Fields ?? {}
  assert.match(String(source), /^request-summary\.test\.ts:/)
  assert.deepEqual(fields, { rid: 'r-2', nested: '{"a":1}', mixed: '[1,"a"]', list: ['a'], kind: 'json' })
  assert.deepEqual([first?.Type, first?.Severity], ['app.log', 4])
  assert.equal(second?.Fields.rid, 'r-2')
})
