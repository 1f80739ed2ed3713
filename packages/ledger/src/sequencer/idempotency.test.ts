import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { prepareEvent } from '../events/index.ts'
import { dedupCheckOf, dedupSecret, fingerprintOf, idempotencyHash } from './idempotency.ts'

const secret = dedupSecret(new Uint8Array(32).fill(1))
const other = dedupSecret(new Uint8Array(32).fill(2))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('P17 what is stored of a key is a full 32-byte keyed hash behind six bytes of order', () => {
  const hashed = idempotencyHash(secret, 'writer', 'key')
  assert.equal(hashed.length, 6 + 32)
  assert.notEqual(hex(hashed), hex(idempotencyHash(other, 'writer', 'key')))
  assert.notEqual(hex(hashed), hex(idempotencyHash(secret, 'writer', 'key2')))
  assert.notEqual(hex(hashed), hex(idempotencyHash(secret, 'writer2', 'key')))
})

test('a UUIDv7 keeps its time prefix, so later keys sort after earlier ones; other keys do not pretend to', () => {
  const early = idempotencyHash(secret, 'w', '018f0000-0000-7000-8000-000000000000')
  const late = idempotencyHash(secret, 'w', '018f0000-0001-7fff-bfff-ffffffffffff')
  assert.equal(hex(early).slice(0, 12), '018f00000000')
  assert(Buffer.compare(early, late) < 0)
  const v4 = idempotencyHash(secret, 'w', '018f0000-0000-4000-8000-000000000000')
  assert.equal(hex(v4).slice(0, 12), hex(v4).slice(12, 24))
})

test('the fingerprint covers payload and meta, whatever the order of members', () => {
  const meta = { type: 'info', event_name: 'a', service: 's' } as const
  const of = (payload: string, more: object = {}) =>
    hex(fingerprintOf(secret, prepareEvent({ payload, meta: { ...meta, ...more } })))
  assert.equal(of('x', { b: 1, a: 2 }), of('x', { a: 2, b: 1 }))
  assert.notEqual(of('x'), of('y'))
  assert.notEqual(of('x', { a: 1 }), of('x', { a: 2 }))
  assert.notEqual(of('x'), hex(fingerprintOf(other, prepareEvent({ payload: 'x', meta }))))
})

test('IP-08 which number its producer gave an event is no content, wherever it stands; what stands beside it is', () => {
  const meta = { type: 'info', event_name: 'a', service: 's' } as const
  const of = (more: object) =>
    hex(fingerprintOf(secret, prepareEvent({ payload: 'x', meta: { ...meta, ...more } })))
  const producer = { id: 'a"b', seq: 7 }
  for (const beside of [{}, { a: 1 }, { request_id: 'r' }, { a: 1, request_id: 'r' }]) {
    assert.equal(of({ ...beside, producer }), of(beside))
    assert.equal(of({ ...beside, producer }), of({ ...beside, producer: { id: 'c', seq: 8 } }))
    assert.notEqual(of({ ...beside, producer, z: 1 }), of({ ...beside, producer }))
  }
  assert.notEqual(of({ producer: { ...producer, more: 1 } }), of({}))
})

test('IP-08 what looks like the mark anywhere else in meta is content; the mark itself never is', () => {
  const meta = { type: 'info', event_name: 'a', service: 's' } as const
  // Two of each, so that pairs differ by where a mark stands and by little else.
  const mark = fc.constantFrom({ id: 'p', seq: 1 }, { id: 'q"', seq: 2 })
  const { context } = fc.letrec<{ context: object; value: unknown }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(1, 'x', ',"producer":{"id":"p","seq":1}'),
      tie('context'),
      fc.array(tie('context'), { maxLength: 2 }),
    ),
    context: fc.record(
      {
        a: tie('value'),
        producer: fc.oneof(
          { weight: 3, arbitrary: mark },
          fc.record({ id: fc.constant('p'), seq: fc.constant(1), more: fc.constant(1) }),
        ),
        z: tie('value'),
      },
      { requiredKeys: [] },
    ),
  }))
  const isMark = (value: unknown) => isDeepStrictEqual(Object.keys(Object(value)).sort(), ['id', 'seq'])
  // As JSON has it: what is drawn here may have no prototype, which is a difference to isDeepStrictEqual.
  const contentOf = (context: object) => {
    const { producer, ...rest } = JSON.parse(JSON.stringify(context)) as { producer?: unknown }
    return producer === undefined || isMark(producer) ? rest : { ...rest, producer }
  }
  fc.assert(
    fc.property(context, context, fc.constantFrom('parser', 'caller'), (one, two, source) => {
      const of = (more: object) =>
        hex(fingerprintOf(secret, prepareEvent({ payload: 'x', meta: { ...meta, ...more } }, source)))
      const same = isDeepStrictEqual(contentOf(one), contentOf(two))
      assert.equal(of(one) === of(two), same)
      assert.equal(of({ ...one, producer: { id: 'r', seq: 9 } }), of({ ...one, producer: undefined }))
    }),
    { numRuns: 2_000 },
  )
})

test('the check value tells two secrets apart without telling them', () => {
  assert.notEqual(hex(dedupCheckOf(secret)), hex(dedupCheckOf(other)))
  assert.notEqual(hex(dedupCheckOf(secret)), hex(secret))
})
