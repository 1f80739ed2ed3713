import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical-json.ts'
import { concatBytes, decodeUtf8, encodeBase64Url, encodeHex, encodeUtf8 } from './encoding.ts'
import { TlogError } from './errors.ts'
import { type EventLeaf, formatEventLeaf, parseEventLeaf } from './event-leaf.ts'
import { leafHash } from './merkle.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { sampleLeaf, sampleLeafHash, sampleParts, sampleTxId } from './testing/receipt-vectors.ts'
import { log } from './testing/vectors.ts'

const malformed = tlogError('malformed_leaf')
const sample: EventLeaf = {
  v: 1,
  kind: 'event',
  ledger: log.origin,
  tx_id: sampleTxId,
  at: '2026-01-02T03:04:05.678Z',
  core: sampleParts.core.commitment,
  context: sampleParts.context.commitment,
  payload: sampleParts.payload.commitment,
  server: sampleParts.server.commitment,
}

testWithBoth('DESIGN 7.3 the leaf of the worked event is written, hashed and read', ({ sha256 }) => {
  assert.equal(formatEventLeaf(sample), sampleLeaf)
  assert.equal(encodeHex(leafHash(sha256, encodeUtf8(sampleLeaf))), sampleLeafHash)
  assert.deepEqual(parseEventLeaf(encodeUtf8(sampleLeaf)), sample)
})

const plainName = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 30 })
  .filter(text => !/["\\\x00-\x1f]/.test(text))
const commitment = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64Url)
const leaves: fc.Arbitrary<EventLeaf> = fc.record(
  {
    at: fc
      .date({ min: new Date(-62_167_219_200_000), max: new Date(253_402_300_799_999), noInvalidDate: true })
      .map(date => date.toISOString()),
    context: commitment,
    core: commitment,
    kind: fc.constantFrom('event', 'erasure', 'retention', 'admin'),
    ledger: plainName,
    payload: commitment,
    server: commitment,
    tx_id: plainName,
    v: fc.constant(1),
  },
  { noNullPrototype: true },
)

test('RFC 8785 every leaf is written in canonical form and read back', () => {
  fc.assert(
    fc.property(leaves, leaf => {
      const text = formatEventLeaf(leaf)
      assert.equal(text, canonicalJson(leaf))
      assert.deepEqual(parseEventLeaf(encodeUtf8(text)), leaf)
    }),
    { numRuns: 1000 },
  )
})

test('every day of four years has a time that is written and read', () => {
  const dayLength = 86_400_000
  for (let day = 0; day < 1461; day++) {
    const at = new Date(Date.parse('2096-01-01T23:59:59.999Z') + day * dayLength).toISOString()
    const leaf = { ...sample, at }
    assert.deepEqual(parseEventLeaf(encodeUtf8(formatEventLeaf(leaf))), leaf)
  }
})

test('P14 a leaf with any byte changed is refused, or is another leaf in its own one form', () => {
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat(3),
    insert: fc.string({ unit: 'binary', maxLength: 3 }),
  })
  let others = 0
  fc.assert(
    fc.property(leaves, change, (leaf, { at, remove, insert }) => {
      const whole = encodeUtf8(formatEventLeaf(leaf))
      const start = at % whole.length
      const changed = concatBytes(
        whole.subarray(0, start),
        encodeUtf8(insert),
        whole.subarray(start + remove),
      )
      const read = readOrRefuse(changed)
      if (read === undefined) return
      assert.equal(formatEventLeaf(read), decodeUtf8(changed))
      others++
    }),
    { numRuns: 3000 },
  )
  assert.ok(others > 0)
})

function readOrRefuse(bytes: Uint8Array): EventLeaf | undefined {
  try {
    return parseEventLeaf(bytes)
  } catch (error) {
    assert.ok(error instanceof TlogError && ['malformed_leaf', 'unknown_version'].includes(error.code))
    return undefined
  }
}

/** What is written when nobody looks: the members verbatim between quotes. */
function writtenBlindly(leaf: Record<keyof EventLeaf, unknown>): string {
  const names = ['at', 'context', 'core', 'kind', 'ledger', 'payload', 'server', 'tx_id'] as const
  return `{${names.map(name => `"${name}":"${leaf[name]}"`).join(',')},"v":${leaf.v}}`
}

test('P27 no origin or id that JSON would escape gets through, whatever it imitates', () => {
  assert.equal(writtenBlindly(sample), sampleLeaf)
  const tokens = [
    'a',
    '"',
    '\\',
    ',',
    ':',
    '{',
    '}',
    '"ledger"',
    '"tx_id"',
    ':"',
    '","',
    '\\"',
    '\\u0061',
    '\n',
  ]
  const name = fc.string({ unit: fc.constantFrom(...tokens, log.origin), maxLength: 8 })
  fc.assert(
    fc.property(name, name, (ledger, tx_id) => {
      const leaf = { ...sample, ledger, tx_id }
      const isPlain = [ledger, tx_id].every(text => text !== '' && JSON.stringify(text) === `"${text}"`)
      const bytes = encodeUtf8(writtenBlindly(leaf))
      if (isPlain) {
        assert.equal(formatEventLeaf(leaf), writtenBlindly(leaf))
        assert.deepEqual(parseEventLeaf(bytes), leaf)
      } else {
        assert.throws(() => formatEventLeaf(leaf), malformed)
        assert.throws(() => parseEventLeaf(bytes), malformed)
      }
    }),
    { numRuns: 5000 },
  )
})

test('P27 duplicate members that agree with a blind writer are refused', () => {
  const texts = [
    writtenBlindly({ ...sample, ledger: `x","ledger":"${log.origin}` }),
    writtenBlindly({ ...sample, tx_id: `x","tx_id":"${sampleTxId}` }),
    writtenBlindly({ ...sample, tx_id: `${sampleTxId}","ledger":"${log.origin}` }),
    writtenBlindly({ ...sample, ledger: `${log.origin}","__proto__":{"v":1},"x":"` }),
    sampleLeaf.replace('"v":1', '"v":1,"v":1'),
    sampleLeaf.replace('{', '{"v":2,'),
  ]
  for (const text of texts) {
    JSON.parse(text)
    assert.throws(() => parseEventLeaf(encodeUtf8(text)), malformed, text)
  }
})

test('P14 P27 texts that are not exactly an event leaf are refused', () => {
  const { payload } = sample
  const change = (from: string, to: string): string => {
    assert.ok(sampleLeaf.includes(from), from)
    return sampleLeaf.replace(from, to)
  }
  const refused: [string, string | Uint8Array][] = [
    ['empty', ''],
    ['cut short', sampleLeaf.slice(0, -1)],
    ['an array', `[${sampleLeaf}]`],
    ['null', 'null'],
    ['a string', JSON.stringify(sampleLeaf)],
    ['no member', '{}'],
    ['only a version', '{"v":1}'],
    ['a byte order mark', `\ufeff${sampleLeaf}`],
    ['invalid UTF-8', concatBytes(encodeUtf8(sampleLeaf), Uint8Array.of(0xff))],
    ['a surrogate in UTF-8', Buffer.from(change('acme', 'acm\xed\xa0\x80'), 'latin1')],
    ['an overlong encoding', Buffer.from(change('acme', 'acm\xc1\xa5'), 'latin1')],
    ['white space before', ` ${sampleLeaf}`],
    ['a newline after', `${sampleLeaf}\n`],
    ['white space inside', change(',"core"', ', "core"')],
    ['another order', JSON.stringify(sample)],
    ['a member more', change('"v":1', '"v":1,"x":1')],
    ['a member more in front', change('{', '{"a":0,')],
    ['__proto__', change('"v":1', '"v":1,"__proto__":{}')],
    ['a letter as an escape', change('acme', '\\u0061cme')],
    ['a slash as an escape', change('/acme', '\\/acme')],
    ['an escape in a name', change('"core"', '"c\\u006fre"')],
    ['a quote in the origin', change('acme', 'ac\\"me')],
    ['a newline in the origin', change('acme', 'ac\\nme')],
    ['a backslash in the id', change(sampleTxId, 'a\\\\b')],
    ['a bare newline in the id', change(sampleTxId, 'a\nb')],
    ['half of a surrogate pair in the id', change(sampleTxId, '\\ud800')],
    ['an empty origin', change(log.origin, '')],
    ['an empty id', change(sampleTxId, '')],
    ['version 0', change('"v":1', '"v":0')],
    ['version 1.5', change('"v":1', '"v":1.5')],
    ['version 1.0', change('"v":1', '"v":1.0')],
    ['a version that is text', change('"v":1', '"v":"1"')],
    ['a later version that is text', change('"v":1', '"v":"2"')],
    ['a version beyond all numbers', change('"v":1', '"v":1e999')],
    ['an unknown kind', change('"event"', '"amendment"')],
    ['a kind of Object.prototype', change('"event"', '"constructor"')],
    ['a kind in a list', change('"event"', '["event"]')],
    ['no time zone', change('.678Z', '.678')],
    ['another time zone', change('.678Z', '.678+00:00')],
    ['no milliseconds', change('.678Z', 'Z')],
    ['microseconds', change('.678Z', '.678901Z')],
    ['a day that does not exist', change('2026-01-02', '2026-02-29')],
    ['a 31st of April', change('2026-01-02', '2026-04-31')],
    ['a 30th of February in a leap year', change('2026-01-02', '2028-02-30')],
    ['a 32nd', change('2026-01-02', '2026-01-32')],
    ['a day 0', change('2026-01-02', '2026-01-00')],
    ['a month 0', change('2026-01-02', '2026-00-02')],
    ['the 60th minute', change('03:04', '03:60')],
    ['a year of five digits', change('2026-01-02', '+012026-01-02')],
    ['the 24th hour', change('T03', 'T24')],
    ['a month that does not exist', change('2026-01', '2026-13')],
    ['a leap second', change('05.678', '60.000')],
    ['a time in a list', change('"2026-01-02T03:04:05.678Z"', '["2026-01-02T03:04:05.678Z"]')],
    ['a commitment cut short', change(payload, payload.slice(1))],
    ['a commitment too long', change(payload, `${payload}A`)],
    ['a padded commitment', change(payload, `${payload}=`)],
    ['a commitment in plain base64', change(payload, payload.replace('-', '+'))],
    ['a commitment with stray bits', change(payload, payload.replace(/.$/, 't'))],
    ['a commitment that is a number', change(`"${payload}"`, '1')],
    ['a commitment in a list', change(`"${payload}"`, `["${payload}"]`)],
    ['a commitment that is null', change(`"${payload}"`, 'null')],
    ...Object.keys(sample).map((name): [string, string] => {
      const { [name as keyof EventLeaf]: _, ...rest } = sample
      return [`no "${name}"`, canonicalJson(rest)]
    }),
    ['another name for a member', change('"tx_id"', '"tx_ie"')],
  ]
  for (const [what, text] of refused) {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
    assert.throws(() => parseEventLeaf(bytes), malformed, what)
  }
})

test('F13 a leaf of a later version is told apart from a damaged one', () => {
  for (const v of [2, 3, 1000]) {
    const later = encodeUtf8(sampleLeaf.replace('"v":1', `"v":${v}`))
    assert.throws(() => parseEventLeaf(later), tlogError('unknown_version'))
  }
  // Whatever else has changed in it.
  assert.throws(() => parseEventLeaf(encodeUtf8('{"v":2}')), tlogError('unknown_version'))
})

test('what would not be read back is not written', () => {
  const wrong: Record<string, unknown>[] = [
    ...['', 'quote"', 'back\\slash', 'new\nline', 'tab\t', 'zero\0', 'half \ud800'].flatMap(text => [
      { ledger: text },
      { tx_id: text },
    ]),
    { ledger: undefined },
    { v: 2 },
    { kind: 'amendment' },
    { at: new Date(0) },
    { at: '2026-02-30T00:00:00.000Z' },
    { core: sample.core.slice(1) },
    { context: `${sample.context}\n` },
    { payload: `${'A'.repeat(42)}B` },
    { server: null },
  ]
  for (const members of wrong) {
    assert.throws(() => formatEventLeaf({ ...sample, ...members }), malformed, JSON.stringify(members))
  }
  // Members that no leaf has are not taken over.
  assert.equal(formatEventLeaf({ ...sample, ...{ note: 'x' } }), sampleLeaf)
})
