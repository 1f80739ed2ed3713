import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpWriter } from 'deedbox/chests'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { failureOf } from './failing-write.ts'
import { type Answering, aServer } from './recording-server.ts'
import { aService } from './service-suite.ts'

function statusAnswer(status: number, headers = {}, text = ''): Answering {
  return response => response.writeHead(status, headers).end(text)
}

test('FC-21 any status of 200 to 299 says that it was taken, or those that are named', async t => {
  let status = 201
  const { origin } = await aServer(t, response => response.writeHead(status).end('done'))
  const [byDefault, as200] = [httpWriter(origin), httpWriter({ url: origin, successStatusCodes: [200, 302] })]
  t.after(() => Promise.all([byDefault.close(), as200.close()]))
  const entries = entriesOf(aRecord(), [['n', 1]])
  for (status of [200, 201, 202, 204, 299]) await byDefault.write(entries)
  for (status of [200, 302]) await as200.write(entries)
  status = 201
  assert.equal((await failureOf(as200)).message, `HTTP(name=${origin}): it answered 201: done`)
})

test('FC-18 FC-21 an answer decides whether it is tried again; what it says is told, its beginning', async t => {
  let answer: Answering = statusAnswer(400)
  const { origin, requests } = await aServer(t, (response, request) => answer(response, request))
  const chest = httpWriter({ url: origin, name: 'bills' })
  t.after(() => chest.close())
  for (const status of [400, 409, 410, 413, 415, 422]) {
    answer = statusAnswer(status)
    const { code, message } = await failureOf(chest)
    assert.deepEqual([code, message], ['refused', `HTTP(name=bills): it answered ${status}`])
  }
  for (const status of [
    300, 304, 308, 401, 403, 404, 405, 406, 407, 408, 421, 425, 429, 431, 451, 500, 502, 503,
  ]) {
    answer = statusAnswer(status)
    assert.equal((await failureOf(chest)).code, 'unavailable', String(status))
  }
  answer = statusAnswer(503, { 'Retry-After': '120' })
  assert.equal((await failureOf(chest)).retryAfter, 120_000)
  answer = statusAnswer(429, { 'Retry-After': new Date(Date.now() + 3_600_000).toUTCString() })
  assert((await failureOf(chest)).retryAfter! > 3_000_000)
  answer = statusAnswer(400, {}, `first\r\n\u001b[31msecond ${'x'.repeat(10_000)}`)
  const { message } = await failureOf(chest)
  assert.match(message, /^HTTP\(name=bills\): it answered 400: first \[31msecond x{200,300}…$/)
  const before = requests.length
  answer = (response, { url }) => response.writeHead(url === '/' ? 307 : 200, { Location: '/other' }).end()
  const redirected = await failureOf(chest)
  assert.deepEqual(
    [redirected.code, redirected.message],
    ['unavailable', 'HTTP(name=bills): it answered 307'],
  )
  assert.equal(requests.length, before + 1, 'redirects are not followed')
})

test('FC-18 FC-20 what is refused for good is posted once', async t => {
  const { origin, requests } = await aServer(t, (response, { body }) => {
    const [[, n]] = JSON.parse(body)
    response.writeHead(n % 5 === 0 ? 422 : 204).end()
  })
  const chest = httpWriter({ url: origin, linger: 200 })
  const { box } = aService(t, chest)
  const set = (n: number): void => box.run({ name: 'job' }, () => box.set({ n }))
  for (let n = 0; n < 25; n++) set(5 * n)
  assert.equal(await box.flush(), true)
  assert.equal(requests.length, 25)
  for (let n = 0; n < 25; n++) set(n)
  assert.equal(await box.flush(), true)
  assert.equal(requests.length, 50)
  const { delivered, rejected } = box.stats().chests[0]!
  assert.deepEqual({ delivered, rejected }, { delivered: 20, rejected: 30 })
})

test('FC-18 what was taken is told with a failure; a server that takes nothing is left alone', async t => {
  let answer = (n: number): number => (n === 7 ? 500 : 204)
  const { origin, requests } = await aServer(t, (response, { body }) => {
    const status = answer(JSON.parse(body)[0][1])
    response.writeHead(status, status === 429 ? { 'Retry-After': '9' } : {}).end()
  })
  const chest = httpWriter(origin)
  t.after(() => chest.close())
  const records = Array.from({ length: 40 }, () => aRecord())
  const entries = records.flatMap((record, n) => entriesOf(record, [['n', n]]))
  const failure = await failureOf(chest, entries)
  assert.equal(failure.code, 'unavailable')
  assert.deepEqual(failure.taken, new Set(records.filter((_, n) => n !== 7).map(({ id }) => id)))
  answer = n => (n === 7 ? 400 : n === 9 ? 500 : 204)
  const refused = await failureOf(chest, entries)
  assert.deepEqual([refused.code, refused.taken.size], ['refused', 38])
  assert.deepEqual(refused.refused, new Set([records[7]!.id]))
  for (const status of [503, 429]) {
    requests.length = 0
    answer = () => status
    const down = await failureOf(chest, entries)
    assert.deepEqual([down.code, down.taken.size], ['unavailable', 0])
    assert.equal(down.retryAfter, status === 429 ? 9_000 : undefined)
    assert(requests.length < 10, String(requests.length))
  }
})

test('FC-18 credentials or a place that are wrong are told by the check, until posts are taken', async t => {
  let status = 403
  const { origin } = await aServer(t, response => response.writeHead(status).end('who are you?'))
  const chest = httpWriter(origin)
  t.after(() => chest.close())
  assert.deepEqual(await chest.check(), [])
  for (status of [403, 404, 302]) {
    await failureOf(chest)
    const [found] = await chest.check()
    assert.equal(found?.message, `${chest.id} does not let us in: it answered ${status}: who are you?`)
  }
  status = 204
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  assert.deepEqual(await chest.check(), [])
})

test('FC-18 no secret of the URL and the headers is told, also if the server sends it back', async t => {
  const echo: Answering = (response, { url, headers }) =>
    response.writeHead(400).end(JSON.stringify({ url, headers }).slice(0, 1_900))
  const { port } = await aServer(t, echo)
  const secrets = ['pass-w0rd!', 'pass-w0rd%21', 'tick-et-99', 'bear-it-77', 'plain-old-55']
  const chest = httpWriter({
    url: `http://shop-user:pass-w0rd%21@127.0.0.1:${port}/?access_token=tick-et-99`,
    headers: { 'X-Odd-Name': 'plain-old-55', 'Proxy-Authorization': 'Bearer bear-it-77', Host2: 'abc' },
  })
  t.after(() => chest.close())
  const { message } = await failureOf(chest)
  assert.match(message, /it answered 400: \{"url"/)
  const basic = Buffer.from('shop-user:pass-w0rd!').toString('base64')
  for (const secret of [...secrets, basic])
    for (const text of [message, chest.id, chest.address])
      assert(!text?.includes(secret), `${secret}: ${text}`)
})

test('FC-18 a path that lets people in stands in no message, also if the server sends it back', async t => {
  const echo: Answering = (response, { url }) => response.writeHead(404).end(`Cannot POST ${url}`)
  const { origin } = await aServer(t, echo)
  const chest = httpWriter(`${origin}/services/T00000000/B0/XyZ%21hook-88`)
  t.after(() => chest.close())
  const { message } = await failureOf(chest)
  assert.equal(message, `HTTP(name=${origin}): it answered 404: Cannot POST [redacted]`)
  const [found] = await chest.check()
  const { box, lines } = aService(t, chest)
  box.run({ name: 'job' }, () => box.set({ n: 1 }))
  await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
  for (const text of [chest.id, chest.address, found?.message, ...lines])
    assert(!/services|T00000000|hook-88/.test(String(text)), text)
  const halves = httpWriter({ url: `${origin}/services/T00000000`, payload: () => assert.fail('T00000000?') })
  assert.match((await failureOf(halves)).message, /could not be made: \[redacted]\?$/)
})
