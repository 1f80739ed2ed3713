// What a client sends as an event, before any of it is stored: the strict reader of JSON, and the check of one event.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '@deedbox/tlog'
import fc from 'fast-check'
import { LedgerError, type LedgerErrorCode } from '../../packages/ledger/src/errors.ts'
import {
  columnsOfParts,
  type EventInput,
  jsonValue,
  limits,
  type PreparedEvent,
  parseStrictJson,
  prepareEvent,
} from '../../packages/ledger/src/events/index.ts'
import { fastCheckRuns, fuzz, requireReached } from './fuzz.ts'
import { type JsonFault, opinionOn } from './json-oracle.ts'
import { mutate, numberEdges } from './mutator.ts'
import type { Random } from './random.ts'

const meta = { type: 'info', event_name: 'a.b', service: 's' }
const fullMeta = {
  ...{
    ...meta,
    env: 'production',
    request_id: 'r-1',
    trace_id: 't',
    immutable_trail: 'trail',
    outcome: 'ok',
  },
  ...{
    occurred_at: '2026-11-20T18:00:00.123456Z',
    actor: { type: 'user', id: 'user:42', name: 'Ünïcode 😀' },
  },
  ...{
    on_behalf_of: { id: 'x' },
    targets: [{ id: 'doc:9' }, { type: 'a', id: 'b' }],
    reason: '',
    subject: 'u',
  },
  ...{ changes: [{ path: 'a.b', before: null, after: [1, -0.5, 1e-7, true] }], correlation_id: 'c' },
  ...{
    producer: { id: 'p', seq: 9_007_199_254_740_991 },
    further: { deep: [[[{}]]], '': 0, constructor: 'x' },
  },
}
const valid = [
  JSON.stringify({ payload: '{"n":1}', meta }),
  JSON.stringify({ payload: 'naïve € \u2028 \\ "', meta: fullMeta }),
  JSON.stringify({ payload: '', meta: fullMeta, idempotency_key: 'k' }, null, 2),
  '[0,-0,1.50,1E+2,0.1e-3,"\\u00e9\\ud83d\\ude00\\n",{"a":{"a":[]}},true,false,null]',
]

/** A JSON text made at random, with the things in it over which readers disagree. */
function madeJson(random: Random, depth: number): string {
  switch (random.below(depth <= 0 ? 4 : 7)) {
    case 0:
      return random.pick(['true', 'false', 'null', ...numberEdges])
    case 1: {
      const digits = () => String(random.bits()).slice(random.below(10))
      return `${random.pick(['', '-'])}${digits()}${random.pick(['', '.', `.${digits()}`, '.0', 'e5', `e-${random.below(400)}`])}`
    }
    case 2:
    case 3:
      return madeString(random)
    case 4:
      return `[${Array.from({ length: random.below(4) }, () => madeJson(random, depth - 1)).join(',')}]`
    default: {
      const names = ['"a"', '"b"', '"\\u0061"', '"__proto__"', '"constructor"', madeString(random)]
      const members = Array.from({ length: random.below(4) }, () => {
        // Mostly names that differ, so that most texts have at most one fault.
        const name = random.once(4) ? random.pick(names) : `"m${random.below(50)}"`
        return `${name}${random.pick(['', ' '])}:${madeJson(random, depth - 1)}`
      })
      return `{${members.join(random.pick([',', ' ,\n']))}}`
    }
  }
}

function madeString(random: Random): string {
  const pieces = [
    'a',
    ' ',
    'é',
    '😀',
    '\\n',
    '\\"',
    '\\\\',
    '\\/',
    '\\u0041',
    '\\ud83d\\ude00',
    ':',
    ',',
    '{"a":1}',
  ]
  const strange = ['\\u0000', '\\ud83d', '\\ude00', '\\x', '\n', '\u0001', '\\u12', '\ufeff', '\u2028']
  const count = random.below(4)
  const piece = () => random.pick(random.once(20) ? strange : pieces)
  return `"${Array.from({ length: count }, piece).join('')}"`
}

test('P27 F18 the strict JSON reader accepts what a second reader finds no fault with, with the same value', () => {
  const reached = { accepted: 0, refused: 0 }
  fuzz('strict JSON', 6_000, (random, note) => {
    const bytes = random.once(2)
      ? Buffer.from(madeJson(random, 4))
      : Buffer.from(
          mutate(
            random,
            Buffer.from(random.pick(valid)),
            valid.map(text => Buffer.from(text)),
          ),
        )
    note(bytes)
    const text = bytes.toString('utf8')
    const { value, faults } = opinionOn(text)
    let read: unknown
    try {
      read = parseStrictJson(bytes, 'It')
    } catch (error) {
      assert.ok(error instanceof LedgerError, String(error))
      reached.refused++
      if (Buffer.from(text).equals(bytes))
        assert.ok(faults.has(error.code as JsonFault), `${error.code}: ${error.message}`)
      else assert.equal(error.code, 'malformed_json')
      assert.ok(error.message.length < 200, error.message)
      return
    }
    reached.accepted++
    assert.deepEqual([...faults], [])
    assert.deepEqual(read, value)
    // Written canonically and read again it is the same, so what is committed to is what was sent.
    if (typeof read !== 'object' || read === null) return
    const written = canonicalJson(read)
    assert.equal(canonicalJson(jsonValue(written) as object), written)
  })
  requireReached(reached)
})

const eventCodes: LedgerErrorCode[] = [
  ...(['invalid_event', 'invalid_payload', 'invalid_meta', 'invalid_text', 'number_not_exact'] as const),
  ...(['payload_too_large', 'meta_too_large', 'invalid_idempotency_key'] as const),
]

/** Prepares it, or makes sure that the refusal is one that a caller can do something about. */
function prepared(input: EventInput): PreparedEvent | undefined {
  try {
    return prepareEvent(input)
  } catch (error) {
    assert.ok(error instanceof LedgerError, String((error as Error).stack ?? error))
    assert.ok(eventCodes.includes(error.code), error.code)
    return undefined
  }
}

function checkPrepared(input: EventInput, event: PreparedEvent): void {
  const { payload, core, context, columns } = event
  assert.equal(payload, input.payload)
  assert.ok(Buffer.byteLength(payload) <= limits.payloadBytes)
  assert.ok(Buffer.byteLength(core) + Buffer.byteLength(context) <= limits.metaBytes)
  const parts = [core, context].map(part => jsonValue(part) as object)
  assert.deepEqual(parts.map(canonicalJson), [core, context])
  assert.deepEqual(columns, columnsOfParts(core, context))
  // Nothing that was sent is lost, and nothing is added.
  assert.equal(canonicalJson({ ...parts[0], ...parts[1] }), canonicalJson(input.meta))
}

test('P5 F5 F6 F8 every event that is taken is committed to whole: each member, at every depth, in canonical form', () => {
  let taken = 0
  const others = valid.map(text => Buffer.from(text))
  fuzz('events', 5_000, (random, note) => {
    const bytes = Buffer.from(mutate(random, random.pick(others), others))
    note(bytes)
    let value: unknown
    try {
      value = parseStrictJson(bytes, 'It')
    } catch {
      return
    }
    if (typeof value !== 'object' || value === null) return
    const input = value as EventInput
    const event = prepared(input)
    if (event === undefined) return
    taken++
    checkPrepared(input, event)
  })
  requireReached({ taken })
})

test('F8 P27 an event made of any JavaScript values is taken as what JSON says it is, or refused', () => {
  const anything = fc.anything({
    ...{
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      maxDepth: 3,
    },
    ...{ withObjectString: true, withSparseArray: true, withTypedArray: true, withUnicodeString: true },
  })
  const someMeta = fc.oneof(
    anything,
    fc.dictionary(fc.string({ unit: 'binary' }), anything).map(more => ({ ...meta, ...more })),
    fc
      .record({ actor: anything, changes: anything, producer: anything, x: anything })
      .map(more => ({ ...meta, ...more })),
  )
  const text = fc.oneof(fc.string({ unit: 'binary' }), anything)
  const input = fc.record(
    { payload: text, meta: someMeta, idempotencyKey: text, requestId: text },
    { requiredKeys: ['payload', 'meta'] },
  )
  let taken = 0
  fc.assert(
    fc.property(input, candidate => {
      const event = prepared(candidate as EventInput)
      if (event === undefined) return
      taken++
      checkPrepared(candidate as EventInput, event)
    }),
    fastCheckRuns(1_500),
  )
  requireReached({ taken })
})
