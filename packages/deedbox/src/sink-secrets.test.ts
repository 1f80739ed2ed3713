import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyText } from './audit/body-text.ts'
import { explicitEvent } from './audit/explicit-event.ts'
import { requestEvent } from './audit/request-event.ts'
import { observe } from './frameworks/node-http.ts'
import { ConfigurationError, deedbox } from './index.ts'
import { createRedactor } from './safety/index.ts'
import { captureLog, parseLine } from './testing/captured-log.ts'
import { aRecord } from './testing/ledger-events.ts'
import { harmlessTexts } from './testing/secrets.ts'
import { serve } from './testing/served.ts'

const redactor = createRedactor()
const key = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`

test('IF-25 IF-22 names of exceptions, templates and addresses are redacted in events like all else', () => {
  const thrown = Object.assign(new Error('x'), { name: `Failure of ${key}` })
  const client = { ip: `token=${key}`, remote: 'x', chain: [], trusted: true }
  const record = aRecord({ status: 500, error: { thrown }, route: `/reset/${key}`, client })
  const settings = { service: 'a', env: 'b', redactor, kind: undefined }
  const event = JSON.stringify(requestEvent(record, settings))
  assert.ok(!event.includes('4eC39'), event)
  assert.ok(event.includes('Failure of sk_live_[redacted]'), event)
})

test('IP-04 IF-25 a text that is sent and holds no secret is sent byte for byte', () => {
  const settings = { service: 'a', env: 'b', redactor, requestId: () => 'r' }
  for (const text of [...harmlessTexts, ' {"a" : 1}\n', '\u0000\u2028'])
    assert.equal(explicitEvent('x', text, {}, settings).payload, text)
})

test('IF-25 IF-22 a body in which nothing can be recognised has no text', () => {
  const body = '{"password":"Tr0ub4dor"}'
  assert.equal(bodyText(Buffer.from(body), 'application/json', redactor), '{"password":"[redacted]"}')
  assert.equal(
    bodyText(Buffer.from(body, 'utf16le'), 'application/json; charset=utf-16', redactor),
    undefined,
  )
  assert.equal(bodyText(Buffer.from([0x1f, 0x8b, 8, 0, 0]), 'text/plain', redactor), undefined)
})

test('IF-03 a setting mistaken for another is not repeated where it is a secret', () => {
  const wrong = [
    { log: { level: key } },
    { trustProxy: key },
    { eventNames: key },
    { requestId: { header: `${key} ` } },
    { requestId: { generator: key } },
    { propagate: [key] },
    { redact: { paths: [`a..${key}`] } },
  ]
  for (const options of wrong) {
    assert.throws(
      () => deedbox(options as object),
      error => error instanceof ConfigurationError && !error.message.includes('4eC39'),
      JSON.stringify(options),
    )
  }
  assert.throws(() => deedbox({ log: { level: 'loud' as 'INFO' } }), /"loud" is no level/)
})

test('IF-09 X-01 an id of the client that is a secret is no id, and is written nowhere', async t => {
  const { box, lines, recorded } = captureLog({ audit: { requests: true } })
  const watch = observe(box)
  const { url } = await serve(
    t,
    watch((_request, response) => void response.end('ok')),
  )
  const answer = await fetch(url, { headers: { 'x-request-id': key } })
  const kept = await fetch(url, { headers: { 'x-request-id': 'order-4111111111111112' } })
  const [first] = await recorded(2)
  assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(kept.headers.get('x-request-id'), 'order-4111111111111112')
  assert.equal(first?.inboundRequestId, null)
  assert.ok(!JSON.stringify(await lines()).includes('4eC39'))
  await box.close()
})

test('FA-08 IF-02 an idempotency key with quotation marks leaves its audit line whole', async () => {
  const { box, texts } = captureLog()
  await box.send('order.paid', { amount: 5 }, { idempotencyKey: 'a"b\\c' })
  await box.flush()
  const audit = texts.map(parseLine).find(line => line.type === 'audit')
  assert.equal(audit?.idempotency_key, 'a"b\\c')
  await box.close()
})

test('FA-10 IF-25 what a failing sink says goes to stderr without its secrets', async t => {
  const notes: string[] = []
  const refuse = (): never => {
    throw new Error(`PUT https://logs.example/?token=${key} failed`)
  }
  const { box } = captureLog({ log: { sink: { write: refuse } } })
  const stderr = t.mock.method(process.stderr, 'write', (text: string) => notes.push(text) > 0)
  box.log.info('lost')
  await box.flush()
  stderr.mock.restore()
  assert.equal(notes.length, 1)
  assert.match(notes[0] ?? '', /: PUT https:\/\/logs\.example\/\?token=\[redacted\] failed\n$/)
  await box.close()
})
