import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Part, parts } from './commitment.ts'
import { concatBytes, encodeBase64, encodeHex, encodeUtf8 } from './encoding.ts'
import { parseEventLeaf } from './event-leaf.ts'
import { nodeCrypto } from './node-crypto.ts'
import { parseProofFile } from './proof-file.ts'
import { formatReceipt, matchesCommitment, parseReceipt, type Receipt } from './receipt.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import {
  bareReceipt,
  disclosingExtra,
  disclosingReceiptHash,
  sampleLeaf,
  sampleParts,
} from './testing/receipt-vectors.ts'
import { disclose, orderReceipt, orderReceiptText, receiptWithExtra } from './testing/receipts.ts'
import { log, proofOf2In7 } from './testing/vectors.ts'

const malformed = tlogError('malformed_proof')

testWithBoth('DESIGN 7.3 the worked receipt, bare and disclosing, is written byte for byte', ({ sha256 }) => {
  assert.equal(orderReceiptText(), bareReceipt)
  const disclosing = orderReceiptText({ disclosed: ['payload', 'core'] })
  assert.equal(disclosing, receiptWithExtra(disclosingExtra))
  assert.equal(encodeHex(sha256(encodeUtf8(disclosing))), disclosingReceiptHash)
})

test('DESIGN 7.3 the worked receipt is read', () => {
  const bare = parseReceipt(bareReceipt)
  assert.equal(bare.index, 2)
  assert.deepEqual(bare.leaf, encodeUtf8(sampleLeaf))
  assert.deepEqual(bare.proof.map(encodeBase64), proofOf2In7)
  assert.equal(bare.checkpoint, bareReceipt.slice(bareReceipt.indexOf('\n\n') + 2))
  assert.equal(bare.verifierKey, log.verifierKey)
  assert.deepEqual(bare.disclosed, {})
  assert.deepEqual(parseReceipt(encodeUtf8(bareReceipt)), bare)
  const { disclosed, ...rest } = parseReceipt(receiptWithExtra(disclosingExtra))
  assert.deepEqual({ ...rest, disclosed: {} }, bare)
  assert.deepEqual(disclosed, disclose(['core', 'payload']))
})

test('DESIGN 7.3 a bare receipt holds nothing of the event but its leaf', () => {
  const bare = orderReceiptText()
  for (const part of parts) {
    const { salt, content } = sampleParts[part]
    for (const bytes of [salt, encodeUtf8(content)]) {
      const extra = parseProofFile(bare).extra ?? new Uint8Array(0)
      assert.ok(!Buffer.from(extra).includes(Buffer.from(bytes)), part)
      assert.ok(!Buffer.from(extra).includes(encodeBase64(bytes).slice(0, 16)), part)
    }
  }
})

test('every receipt is read back, and written again as the same text', () => {
  const bytes = fc.uint8Array({ maxLength: 40 })
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const disclosure = fc.record({ salt: hash, content: bytes }, { noNullPrototype: true })
  const receipt: fc.Arbitrary<Receipt> = fc.record(
    {
      index: fc.maxSafeNat(),
      leaf: bytes,
      proof: fc.array(hash, { maxLength: 63 }),
      checkpoint: fc.string({ unit: 'binary' }),
      verifierKey: fc.string({ unit: 'binary' }),
      disclosed: fc.record(
        { core: disclosure, context: disclosure, payload: disclosure, server: disclosure },
        { requiredKeys: [], noNullPrototype: true },
      ),
    },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(receipt, receipt => {
      const text = formatReceipt(receipt)
      assert.deepEqual(parseReceipt(text), receipt)
      assert.equal(formatReceipt(parseReceipt(encodeUtf8(text))), text)
    }),
    { numRuns: 500 },
  )
})

test('P14 P27 extra lines that are not exactly those of a receipt are refused', () => {
  const bare = disclosingExtra.replace(/^\{"disclosed":\{.*\}\},/, '{"disclosed":{},')
  assert.deepEqual(parseReceipt(receiptWithExtra(bare)), parseReceipt(bareReceipt))
  const change = (from: string, to: string, text: string = disclosingExtra): string => {
    assert.ok(text.includes(from), from)
    return text.replace(from, () => to)
  }
  const leaf = encodeBase64(encodeUtf8(sampleLeaf))
  const salt = encodeBase64(sampleParts.payload.salt)
  const content = encodeBase64(encodeUtf8(sampleParts.payload.content))
  const refused: [string, string | Uint8Array][] = [
    ['not JSON', 'leaf'],
    ['a list', `[${bare}]`],
    ['null', 'null'],
    ['no member', '{}'],
    ['a byte order mark', `\ufeff${bare}`],
    ['invalid UTF-8', concatBytes(encodeUtf8(bare), Uint8Array.of(0xff))],
    ['white space', `${bare} `],
    ['white space inside', change('"v":1', '"v": 1')],
    ['another order', `{"v":1,${change('"v":1,', '', bare).slice(1)}`],
    ['an escape', change('"v":1', '"\\u0076":1')],
    ['a member more', change('"v":1,', '"v":1,"vj":1,')],
    ['a member twice', change('"v":1,', '"v":1,"v":1,')],
    ['another leaf in front', change('"leaf"', '"leaf":"AAAA","leaf"')],
    ['__proto__ with everything', `{"__proto__":${bare}}`],
    ['__proto__ beside everything', `{"__proto__":{"v":1},${bare.slice(1)}`],
    ['__proto__ with a version', change('"v":1', '"__proto__":{"v":1}')],
    ['no version', change('"v":1,', '')],
    ['version 0', change('"v":1', '"v":0')],
    ['version 1.5', change('"v":1', '"v":1.5')],
    ['version in text', change('"v":1', '"v":"1"')],
    ['a later version in text', change('"v":1', '"v":"2"')],
    ['no leaf', change(`"leaf":"${leaf}",`, '')],
    ['a leaf in the clear', change(leaf, 'event-2')],
    ['a leaf in base64url', change(`"leaf":"${leaf}"`, '"leaf":"_-__"')],
    ['a leaf with stray bits', change(`"leaf":"${leaf}"`, '"leaf":"AAB="')],
    ['a leaf in a list', change(`"leaf":"${leaf}"`, `"leaf":["${leaf}"]`)],
    ['a leaf that is a number', change(`"leaf":"${leaf}"`, '"leaf":1234')],
    ['no verifier key', change(`,"vkey":"${log.verifierKey}"`, '')],
    ['a verifier key in a list', change(`"${log.verifierKey}"`, `["${log.verifierKey}"]`)],
    ['half of a surrogate pair as a key', change(log.verifierKey, '\\ud800')],
    ['no disclosures', change('"disclosed":{},', '', bare)],
    ['disclosures that are null', change('{}', 'null', bare)],
    ['disclosures that are a list', change('{}', '[]', bare)],
    ['disclosures that are text', change('{}', '""', bare)],
    ['disclosures that are a number', change('{}', '7', bare)],
    ['an unknown part', change('"payload"', '"meta"')],
    ['a part of Object.prototype', change('"payload"', '"toString"')],
    ['__proto__ as a part', change('"payload"', '"__proto__"')],
    ['__proto__ as an empty part', change('{}', '{"__proto__":{}}', bare)],
    ['a part that is null', change('{}', '{"core":null}', bare)],
    ['a part that is a list', change('{}', '{"core":[]}', bare)],
    ['parts in another order', change('"core"', '"server"')],
    ['a short salt', change(salt, encodeBase64(sampleParts.payload.salt.subarray(1)))],
    ['a long salt', change(salt, encodeBase64(concatBytes(sampleParts.payload.salt, Uint8Array.of(0))))],
    ['an empty salt', change(salt, '')],
    ['no salt', change(`,"salt":"${salt}"`, '')],
    ['a salt in a list', change(`"${salt}"`, `["${salt}"]`)],
    ['an inherited salt', change(`"salt":"${salt}"`, `"__proto__":{"salt":"${salt}"}`)],
    ['no content', change(`"content":"${content}",`, '')],
    ['content in the clear', change(content, '{}')],
    ['content in a list', change(`"${content}"`, `["${content}"]`)],
    ['a member more in a part', change(`"salt":"${salt}"`, `"salt":"${salt}","type":"json"`)],
  ]
  for (const [what, extra] of refused) {
    assert.throws(() => parseReceipt(receiptWithExtra(extra)), malformed, what)
  }
  const { index, proof, checkpoint } = parseReceipt(bareReceipt)
  const none = bareReceipt.replace(/extra .*\n/, '')
  assert.deepEqual(parseProofFile(none), { index, proof, checkpoint })
  assert.throws(() => parseReceipt(none), malformed, 'no extra line')
  assert.equal(Object.hasOwn(Object.prototype, 'v'), false)
})

test('F13 a receipt of a later version is told apart from a damaged one', () => {
  for (const extra of ['{"v":2}', disclosingExtra.replace('"v":1', '"v":2'), '{"v":3,"leaf":null}']) {
    assert.throws(() => parseReceipt(receiptWithExtra(extra)), tlogError('unknown_version'))
  }
})

test('what would not be read back is not written', () => {
  const receipt = orderReceipt()
  const content = encodeUtf8('{}')
  for (const salt of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
    assert.throws(() => formatReceipt({ ...receipt, disclosed: { core: { salt, content } } }), malformed)
  }
  assert.throws(() => formatReceipt({ ...receipt, index: -1 }), malformed)
  assert.throws(() => formatReceipt({ ...receipt, proof: [new Uint8Array(31)] }), malformed)
  assert.throws(() => formatReceipt({ ...receipt, verifierKey: '\udc00' }), tlogError('malformed_text'))
})

testWithBoth(
  'DESIGN 7.3 a part matches its own commitment under its own salt, and nothing else does',
  crypto => {
    const leaf = parseEventLeaf(encodeUtf8(sampleLeaf))
    const all = disclose(parts)
    const matches = (part: Part, changed: object, inLeaf: object = {}): boolean =>
      matchesCommitment(crypto, { ...leaf, ...inLeaf }, part, { ...all[part]!, ...changed })
    for (const part of parts) {
      const { salt, content } = all[part]!
      assert.equal(matches(part, {}), true)
      assert.equal(matches(part, { content: concatBytes(content, Uint8Array.of(0x20)) }), false)
      assert.equal(matches(part, { content: content.subarray(1) }), false)
      assert.equal(matches(part, { salt: salt.map((byte, i) => (i === 31 ? byte ^ 1 : byte)) }), false)
      for (const wrong of [salt.subarray(0, 31), concatBytes(salt, Uint8Array.of(0)), new Uint8Array(0)]) {
        assert.equal(matches(part, { salt: wrong }), false)
      }
      assert.equal(matches(part, {}, { ledger: 'ledger.example/other' }), false)
      assert.equal(matches(part, {}, { tx_id: 'another' }), false)
      assert.equal(matches(part, {}, { [part]: `${leaf[part]}=` }), false)
      for (const other of parts) {
        if (other !== part) assert.equal(matches(part, {}, { [part]: leaf[other] }), false)
        if (other !== part) assert.equal(matches(part, {}, { [other]: leaf[part] }), true)
      }
    }
  },
)

test('P17 a part whose salt swallowed the names of its place does not match', () => {
  // What the ledger committed to: content in which the client repeated the names of the place.
  const place = encodeUtf8(`${log.origin}\nid\npayload\n`)
  const { salt } = sampleParts.payload
  const committed = concatBytes(
    encodeUtf8('deedbox-commit/v1\n'),
    salt,
    place,
    encodeUtf8('a'),
    place,
    encodeUtf8('b'),
  )
  const payload = Buffer.from(nodeCrypto.sha256(committed)).toString('base64url')
  const leaf = { ...parseEventLeaf(encodeUtf8(sampleLeaf)), tx_id: 'id', payload }
  const honest = { salt, content: concatBytes(encodeUtf8('a'), place, encodeUtf8('b')) }
  assert.equal(matchesCommitment(nodeCrypto, leaf, 'payload', honest), true)
  const forged = { salt: concatBytes(salt, place, encodeUtf8('a')), content: encodeUtf8('b') }
  assert.equal(matchesCommitment(nodeCrypto, leaf, 'payload', forged), false)
})
