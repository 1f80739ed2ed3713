import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { internalsOf } from '../internals.ts'
import { createRedactor } from '../safety/index.ts'
import { auditedLog, timeless } from '../testing/audited-log.ts'
import { aBox, aLedger, noticesOf } from '../testing/ledger-events.ts'
import { serve } from '../testing/served.ts'
import { createAudited } from './audited.ts'
import { createAuditor } from './auditor.ts'

const secret = 'deed_0123456789abcdefghijklmnopqrstuv'

test('IP-11 IP-12 IP-13 ruling 18: one shape for all forms, meta complete', async () => {
  const { box, events } = auditedLog()
  const how = { module: 'cards', service: 'pay', kind: 'success' } as const
  const said = {
    id: '<uuid>',
    kind: 'success',
    message: 'fn.cards.charge executed',
    timestamp: '<instant>',
    metrics: { latency_ms: '<ms>', started_at: '<instant>' },
    severity: 'low',
    function: { module: 'cards', name: 'charge' },
  }
  box.audited(function charge() {}, how)()
  await box.audited(async function charge() {}, how)()
  const [...none] = box.audited(function* charge() {}, how)()
  const [sync, async, generator, ...more] = await events()
  assert.deepEqual([none, more], [[], []])
  assert.deepEqual(sync && timeless(sync), said)
  assert.deepEqual(async && timeless(async), said)
  assert.deepEqual(generator && timeless(generator), { ...said, items: 0 })
  for (const event of [sync, async, generator]) {
    const { request_id, ...meta } = event?.meta ?? {}
    assert.deepEqual(meta, {
      type: 'success',
      event_name: 'fn.cards.charge',
      service: 'pay',
      env: 'production',
    })
    assert.match(String(request_id), /^[0-9a-f-]{36}$/)
    const { started_at } = (event?.payload.metrics ?? {}) as { started_at: string }
    assert(started_at <= String(event?.payload.timestamp))
  }
})

test('IP-11 IP-12 what throws is an error, whatever kind was asked for, and its secrets are blanked', async () => {
  const { box, events } = auditedLog()
  class Declined extends Error {
    override name = 'Declined'
  }
  const how = { eventName: 'card.charge', kind: 'success', module: 'cards' } as const
  const fails = box.audited(function charge() {
    throw new Declined(`no such key: ${secret}`)
  }, how)
  assert.throws(fails, new RegExp(secret))
  await assert.rejects(
    box.audited(async function charge() {
      throw new Declined(`no such key: ${secret}`)
    }, how)(),
  )
  const seen = await events()
  assert.equal(seen.length, 2)
  for (const event of seen) {
    assert.deepEqual(timeless(event), {
      id: '<uuid>',
      kind: 'error',
      message: 'card.charge failed: Declined',
      timestamp: '<instant>',
      metrics: { latency_ms: '<ms>', started_at: '<instant>' },
      severity: 'high',
      function: { module: 'cards', name: 'charge' },
      error: {
        exception: 'Declined',
        exception_message: 'no such key: deed_[redacted]',
        retryable: false,
      },
    })
    assert.equal(event.meta.type, 'error')
  }
})

test('IP-11 whatever is thrown passes through, and is told as something', async () => {
  const { box, events } = auditedLog()
  const hostile = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('nobody reads me')
    },
  })
  for (const thrown of [undefined, null, 'text', 7n, Symbol('s'), hostile, Object.create(null)]) {
    const fails = box.audited(
      () => {
        throw thrown
      },
      { eventName: 'x' },
    )
    assert.throws(fails, error => Object.is(error, thrown))
  }
  const kinds = (await events()).map(({ payload }) => payload.kind)
  assert.deepEqual(kinds, Array(7).fill('error'))
})

test('IP-16 arguments and results stand in the event only as fields tells them, blanked and cut to size', async () => {
  const { box, events } = auditedLog()
  const login = (user: string, password: string): { token: string } => ({ token: user + password })
  assert.equal(box.audited(login)('ann', 'hunter22').token, 'annhunter22')
  box.audited(login, {
    fields: ({ args: [user, password], result }) => ({
      user,
      password,
      note: secret,
      ok: result !== undefined,
    }),
  })('ann', 'hunter22')
  box.audited(login, { fields: ({ args }) => ({ text: args[0] }) })('日本'.repeat(9_000), '')
  const [plain, told, large] = await events()
  assert.doesNotMatch(JSON.stringify(plain), /ann|hunter22/)
  assert.deepEqual(told?.payload.fields, {
    user: 'ann',
    password: '[redacted]',
    note: 'deed_[redacted]',
    ok: true,
  })
  assert(Buffer.byteLength(JSON.stringify(large?.payload)) <= 12_000)
  assert.deepEqual(large?.payload.truncated, ['fields'])
})

test('IF-16 IP-16 details tell who, to what and why, in meta, blanked like all else', async () => {
  const { box, events, lines } = auditedLog()
  const block = (id: number, _by: string): boolean => id > 0
  const audited = box.audited(block, {
    eventName: 'user.block',
    details: ({ args: [id, by], result }) => ({
      actor: { type: 'user', id: by },
      targets: [{ type: 'user', id: String(id) }],
      reason: `asked with ${secret}`,
      outcome: result === true ? 'success' : 'failure',
      service: 'not to be described',
    }),
  })
  audited(7, 'u_1')
  box.audited(block, {
    eventName: 'x',
    details: () => {
      throw new Error('no details')
    },
  })(1, '')
  const [told, plain] = await events()
  const { request_id, ...meta } = told?.meta ?? {}
  assert.deepEqual(meta, {
    type: 'info',
    event_name: 'user.block',
    service: 'tested',
    env: 'production',
    actor: { type: 'user', id: 'u_1' },
    targets: [{ type: 'user', id: '7' }],
    reason: 'asked with deed_[redacted]',
    outcome: 'success',
  })
  assert.equal(plain?.meta.event_name, 'x')
  assert.equal(noticesOf(await lines(), 'audited_details').length, 1)
})

test('IP-14 fields that fail are said, and the event goes out without them', async () => {
  const { box, events, lines } = auditedLog()
  const ways: (() => unknown)[] = [
    () => {
      throw new Error('no fields')
    },
    async () => ({ late: true }),
    () => Promise.reject(new Error('later')),
    () => 'text',
    () => ({
      get thrower(): never {
        throw new Error('getter')
      },
    }),
    () => undefined,
  ]
  for (const fields of ways)
    assert.equal(
      box.audited(() => 1, { eventName: 'x', fields: fields as () => Record<string, unknown> })(),
      1,
    )
  const seen = await events()
  assert.deepEqual(
    seen.map(({ payload }) => payload.fields),
    Array(6).fill(undefined),
  )
  const said = noticesOf(await lines(), 'audited_fields')
  assert.deepEqual([said.length, said[0]?.event_name], [1, 'x'])
})

test('IP-14 the ledger is down: nothing about the function changes, and one warning says it', async t => {
  const ledger = await aLedger(t, () => 'cut')
  const { box, lines } = aBox(t, {
    ledger: { url: ledger.url, apiKey: 'deed_k' },
    audit: { linger: 0, backoff: { base: 1, cap: 1 } },
  })
  const failure = new Error('own')
  const work = box.audited(
    (n: number) => {
      if (n === 3) throw failure
      return n
    },
    { eventName: 'work' },
  )
  for (let n = 0; n < 3; n++) assert.equal(work(n), n)
  assert.throws(
    () => work(3),
    error => error === failure,
  )
  while (box.stats().audit.retried < 2) await new Promise(setImmediate)
  assert.equal(work(9), 9)
  const warnings = lines.filter(({ level }) => level === 'WARNING')
  assert.deepEqual(
    [warnings.length, new Set(warnings.map(({ notice }) => notice)).size],
    [warnings.length, warnings.length],
  )
  assert.equal(box.stats().audit.queued, 5)
})

test('IP-14 a redactor that fails, or whatever else, reaches the log and not the caller', async () => {
  const { box, lines } = auditedLog()
  const { writer, notices } = internalsOf(box)
  const broken = createAuditor({
    service: 's',
    env: 'testing',
    redactor: {
      ...createRedactor(),
      text: () => {
        throw new Error('redactor out of order')
      },
    },
    ledger: null,
    isChosen: true,
    writer,
    notices,
    scope: () => undefined,
    generateId: () => 'id',
    options: {},
  } as never)
  const work = createAudited(() => broken)((n: number) => n, { eventName: 'work' })
  for (let n = 0; n < 3; n++) assert.equal(work(n), n)
  const said = noticesOf(await lines(), 'function_event_failed')
  assert.equal(said.length, 1)
  assert.match(String(said[0]?.trace), /redactor out of order/)
})

test('IP-14 a function that uses up the stack throws what it threw before, at every level', async () => {
  const { box, events } = auditedLog()
  let depth = 0
  const dive = box.audited(function dive(): number {
    depth++
    return dive() + 1
  })
  assert.throws(dive, RangeError)
  assert(depth > 100)
  const seen = await events()
  assert(seen.length > 0)
  assert(seen.every(({ payload }) => payload.kind === 'error'))
})

test('IP-15 called in a request or job the event has its id; each nested function has an event of its own', async t => {
  const { box, events, recorded } = auditedLog({ audit: { requests: true } })
  const inner = box.audited(async function inner() {
    await new Promise(setImmediate)
  })
  const outer = box.audited(async function outer() {
    await inner()
  })
  const { url } = await serve(
    t,
    observe(box)(async (_request, response) => {
      await outer()
      response.end()
    }),
  )
  await fetch(url, { headers: { 'x-request-id': 'r-1' } })
  await recorded(1)
  await box.run({ name: 'nightly', requestId: 'job-1' }, outer)
  await outer()
  const seen = (await events()).map(({ meta }) => [meta.event_name, meta.request_id])
  assert.deepEqual(
    seen.filter(([, id]) => id === 'r-1').map(([name]) => name),
    ['fn.function-event.test.inner', 'fn.function-event.test.outer', 'http.GET./'],
  )
  assert.equal(seen.filter(([, id]) => id === 'job-1').length, 2)
  const [innerId, outerId] = seen.slice(-2).map(([, id]) => id)
  assert.equal(seen.length, 7)
  assert.notEqual(innerId, outerId)
})
