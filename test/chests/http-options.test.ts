import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpWriter } from 'deedbox/chests'
import { aRecord, entriesOf } from './entries.ts'
import { aServer } from './recording-server.ts'

test('FC-19 samples 40 and 41 the URL and its parts in the spelling of the original post to the same place', async t => {
  const { port, requests } = await aServer(t)
  const entries = entriesOf(aRecord({ requestId: 'r-1' }), [
    ['user', '123'],
    ['nothing', null],
  ])
  const chests = [
    httpWriter(`http://localhost:${port}`),
    httpWriter(new URL(`http://localhost:${port}`)),
    httpWriter({ url: `http://localhost:${port}/` }),
    httpWriter({ port }),
    httpWriter({
      host: 'localhost',
      port: String(port),
      https: false,
      headers: null,
      verify: false,
      logger: null,
    }),
  ]
  for (const chest of chests) {
    t.after(() => chest.close())
    assert.equal(chest.id, `HTTP(name=http://localhost:${port})`)
    assert.equal(chest.address, chests[0]?.address)
    await chest.write(entries)
  }
  assert.equal(requests.length, chests.length)
  for (const { method, url, headers, body } of requests) {
    assert.deepEqual([method, url, headers['content-type']], ['POST', '/', 'application/json'])
    assert.equal(headers.host, `localhost:${port}`)
    assert.equal(headers['idempotency-key'], entries[0]?.record.id)
    assert.equal(body, '[["user","123","r-1"],["nothing",null,"r-1"]]')
  }
  assert.equal(httpWriter().id, 'HTTP(name=http://localhost)')
  assert.equal(httpWriter({ https: true, host: '::1', port: '' }).id, 'HTTP(name=https://[::1])')
})

test('FC-19 params, headers, name and credentials; what is secret is in no id and no address', async t => {
  const { origin, requests } = await aServer(t)
  const place = origin.replace('//', '//us%40er:pass%20word@')
  const chest = httpWriter({
    url: `${place}/vars?token=s3cret-one&shop=1`,
    params: { source: 'a b&c', api_key: 's3cret-two', n: 7 },
    headers: { 'X-Shop': 'leather', 'content-type': 'application/vnd.shop+json' },
  })
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  const [{ url, headers } = assert.fail()] = requests
  assert.equal(url, '/vars?token=s3cret-one&shop=1&source=a+b%26c&api_key=s3cret-two&n=7')
  assert.equal(headers.authorization, `Basic ${Buffer.from('us@er:pass word').toString('base64')}`)
  assert.equal(headers['x-shop'], 'leather')
  assert.equal(headers['content-type'], 'application/vnd.shop+json')
  assert.equal(chest.id, `HTTP(name=${origin})`)
  assert.equal(httpWriter({ url: origin, name: 'billing' }).id, 'HTTP(name=billing)')
  const addressOf = (url: string): string | undefined => httpWriter(url).address
  assert.match(String(chest.address), new RegExp(`^${origin}/#[0-9a-f]{16}$`))
  assert.equal(addressOf(`${place}/a?token=one`), addressOf(`${origin}/a?token=two`), 'whoever writes there')
  const others = [`${origin}/a`, `${origin}/b`, `${origin}/a?shop=1`, `${origin}/a?shop=2`]
  assert.equal(new Set(others.map(addressOf)).size, others.length)
})

test('FC-19 options that cannot work are told when the chest is made, without their values', () => {
  const wrong: [setting: string, options: object | string][] = [
    ['httpWriter(): url', 'ftp://hunter2.example'],
    ['httpWriter(): url', 'hunter2'],
    ['httpWriter(): url', { url: 'http://a.example', host: 'b' }],
    ['httpWriter(): url', 'http://shop:hunter2%@a.example/'],
    ['httpWriter(): url', { url: 'http://hunter2%zz:a@a.example/' }],
    ['httpWriter(): host', { host: 'a/hunter2' }],
    ['httpWriter(): host', { host: 'user@host' }],
    ['httpWriter(): host', { host: 'host:80' }],
    ['httpWriter(): port', { port: 'hunter2' }],
    ['httpWriter(): port', { port: 0 }],
    ['httpWriter(): port', { port: '70000' }],
    ['httpWriter(): https', { https: 'yes' }],
    ['httpWriter(): params.a', { params: { a: {} } }],
    ['httpWriter(): headers.a b', { headers: { 'a b': 'x' } }],
    ['httpWriter(): headers.a', { headers: { a: 'hunter2\n' } }],
    ['httpWriter(): headers.Content-Length', { headers: { 'Content-Length': '3' } }],
    ['httpWriter(): headers.idempotency-key', { headers: { 'idempotency-key': '3' } }],
    ['httpWriter(): payload', { payload: 'hunter2' }],
    ['httpWriter(): payload', { payload: () => 1, payloadGenerator: () => 1 }],
    ['httpWriter(): timeoutMs', { timeoutMs: 0 }],
    ['httpWriter(): successStatusCodes', { successStatusCodes: [] }],
    ['httpWriter(): successStatusCodes', { successStatusCodes: 200 }],
    ['httpWriter(): verify', { verify: 'no' }],
    ['httpWriter(): verify', { verify: true, tls: { verify: true } }],
    ['httpWriter(): tls', { tls: { rejectUnauthorized: false } }],
    ['httpWriter(): tls.ca', { tls: { ca: '/etc/hunter2.pem' } }],
    ['httpWriter(): name', { name: '' }],
    ['httpWriter(): proxies', { proxies: {} }],
  ]
  for (const [setting, options] of wrong)
    assert.throws(
      () => httpWriter(options as object),
      (error: Error & { setting?: string }) =>
        error.name === 'ConfigurationError' && error.setting === setting && !/hunter2/.test(error.message),
      setting,
    )
})

test('FC-19 a part of a request has a key of its own', async t => {
  const { origin, requests } = await aServer(t)
  const chest = httpWriter(origin)
  t.after(() => chest.close())
  const record = aRecord()
  const entries = entriesOf(record, [
    ['a', 1],
    ['b', 2],
  ])
  await chest.write(entries)
  await chest.write(entries.slice(1))
  assert.deepEqual(
    requests.map(({ headers }) => headers['idempotency-key']),
    [record.id, `${record.id}.1`],
  )
})
