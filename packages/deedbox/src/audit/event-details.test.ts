import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventDetails } from '../request/index.ts'
import { createRedactor } from '../safety/index.ts'
import { aBox, aLedger, aRecord } from '../testing/ledger-events.ts'
import { keepAll } from '../testing/ledger-stand-in.ts'
import { changes } from './changes.ts'
import { detailMembers } from './event-details.ts'
import { requestEvent } from './request-event.ts'

const redactor = createRedactor({ paths: ['customer.iban', 'items[*].note'] })

function members(details: EventDetails): Record<string, unknown> {
  return detailMembers(details, redactor)
}

test('IF-26 who, what, why and what changed stand in meta; what is the event’s own stays', () => {
  const details: EventDetails = {
    actor: { type: 'user', id: 'u_1', name: 'Ada' },
    on_behalf_of: { id: 'acme' },
    targets: [{ type: 'order', id: 'o-1' }],
    outcome: 'denied',
    changes: [{ path: 'status', before: 'open', after: 'paid' }],
    reason: 'asked for',
    subject: 'customer-9',
    correlation_id: 'c-1',
    immutable_trail: 'order-1',
    occurred_at: '2026-01-02T03:04:05.678Z',
    tenant: { plan: 'gold' },
  }
  assert.deepEqual(members(details), details)
  const settings = { service: 's', env: 'e', redactor, kind: undefined }
  const own: EventDetails = { service: 'other', event_name: 'x', type: 'error', request_id: 'x', env: 'x' }
  const { meta } = requestEvent(aRecord({ user: 'u_9', eventDetails: { ...details, ...own } }), settings)
  assert.deepEqual(meta, {
    type: 'success',
    event_name: 'http.GET./orders/:id',
    service: 's',
    request_id: 'req-1',
    env: 'e',
    ...details,
  })
})

test('IF-25 changes of secrets are blanked by each name on their path, and so are other secrets', () => {
  const before = {
    password: 'hunter2',
    customer: { iban: 'DE1', city: 'a' },
    items: [{ note: 'x' }],
    token: { a: 1 },
  }
  const after = {
    password: 'hunter3',
    customer: { iban: 'DE2', city: 'b' },
    items: [{ note: 'y' }],
    token: { a: 2 },
  }
  const blank = '[redacted]'
  assert.deepEqual(members({ changes: changes(before, after), reason: 'Bearer abcdef.ghijkl.mnopqr' }), {
    changes: [
      { path: 'password', before: blank, after: blank },
      { path: 'customer.iban', before: blank, after: blank },
      { path: 'customer.city', before: 'a', after: 'b' },
      { path: 'items[0].note', before: blank, after: blank },
      { path: 'token.a', before: blank, after: blank },
    ],
    reason: `Bearer ${blank}`,
  })
})

test('IF-36 details that are too long, too many or of the wrong form are cut, and it is said', () => {
  const cut = members({
    actor: { name: 'nobody' } as never,
    targets: Array.from({ length: 30 }, (_, i) => ({ id: `t${i}` })),
    reason: '日'.repeat(5_000),
    immutable_trail: 'order:7',
    occurred_at: 'yesterday',
    outcome: '',
    own: 'x'.repeat(13_000),
  })
  assert.deepEqual(Object.keys(cut).sort(), ['immutable_trail', 'reason', 'targets', 'truncated'])
  assert.equal((cut.targets as unknown[]).length, 20)
  assert.equal(cut.immutable_trail, 'order-7')
  assert.deepEqual(
    new Set(cut.truncated as string[]),
    new Set(['actor', 'targets', 'reason', 'occurred_at', 'outcome', 'own']),
  )
  assert.ok(Buffer.byteLength(JSON.stringify(cut)) < 13_000)
})

test('IF-16 details of several calls add up, in requests and jobs; send blanks changes too', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: { url: ledger.url, apiKey: 'k' } })
  box.run({ name: 'nightly' }, () => {
    box.event('user.changed', { actor: { id: 'cron' }, reason: 'first' })
    box.event('user.renamed', { changes: box.changes({ pin: '1234' }, { pin: '4321' }), reason: 'second' })
  })
  await box.send('user.erased', {}, { meta: { changes: box.changes({ pin: '1234' }, { pin: '4321' }) } })
  assert.equal(await box.flush(), true)
  const metas = [...ledger.stored.values()].map(({ meta }) => meta)
  const blanked = [{ path: 'pin', before: '[redacted]', after: '[redacted]' }]
  const job = metas.find(({ event_name }) => event_name === 'user.renamed')
  assert.deepEqual([job?.actor, job?.reason, job?.changes], [{ id: 'cron' }, 'second', blanked])
  assert.deepEqual(metas.find(({ event_name }) => event_name === 'user.erased')?.changes, blanked)
})

test('IF-36 details that are cut or left out are said in a line; numbers for ids are as good as texts', async t => {
  assert.deepEqual(members({ subject: 7 as never, actor: { id: 9 as never } }), {
    subject: '7',
    actor: { id: '9' },
  })
  const { box, lines } = aBox(t, { ledger: null })
  box.run({ name: 'job' }, () => box.event('a.b', { actor: 'u_42' as never, occurred_at: 'yesterday' }))
  await box.flush()
  const [notice] = lines.filter(line => line.notice === 'event_details')
  assert.deepEqual([notice?.event_name, notice?.details], ['a.b', ['actor', 'occurred_at']])
})
