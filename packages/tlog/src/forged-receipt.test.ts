// What must not be accepted: receipts that were changed anywhere, by accident or with care.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { browserCrypto } from './browser-crypto.ts'
import { parts } from './commitment.ts'
import type { TlogCrypto } from './crypto.ts'
import { concatBytes, encodeUtf8 } from './encoding.ts'
import { TlogError } from './errors.ts'
import { nodeCrypto } from './node-crypto.ts'
import { parseProofFile } from './proof-file.ts'
import { checkReceipt, formatReceipt, type Receipt } from './receipt.ts'
import { orderReceipt, orderReceiptText, receiptWithExtra } from './testing/receipts.ts'
import { log } from './testing/vectors.ts'
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts'

const logKey = parseVerifierKey(nodeCrypto.sha256, log.verifierKey)
const genuine = checkReceipt(nodeCrypto, orderReceiptText({ disclosed: parts }), [logKey])
const text = formatReceipt(genuine.receipt)
const extra = parseProofFile(text).extra!
assert.equal(receiptWithExtra(extra), text)

interface Change {
  at: number
  remove: number
  insert: Uint8Array
}

const letters = fc.constantFrom(...'\n —+/=0123456789ABCabc{}[]":,\\').map(letter => encodeUtf8(letter))
const changes: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  remove: fc.nat(4),
  insert: fc.oneof(letters, fc.uint8Array({ maxLength: 4 })),
})

function applied(bytes: Uint8Array, { at, remove, insert }: Change): Uint8Array {
  const start = at % (bytes.length + 1)
  return concatBytes(bytes.subarray(0, start), insert, bytes.subarray(start + remove))
}

/** The verdict, or the code of the error that says why there is none. */
function outcome(crypto: TlogCrypto, receipt: string | Uint8Array, keys: readonly VerifierKey[]): string {
  try {
    const { verdict, leaf, checkpoint, receipt: read } = checkReceipt(crypto, receipt, keys)
    if (verdict === 'ok' || verdict === 'ok_unpinned') {
      assert.equal(verdict, keys.length > 0 ? 'ok' : 'ok_unpinned')
      // Accepted is only what says the same as the genuine one, or less of it.
      assert.deepEqual(leaf, genuine.leaf)
      assert.deepEqual(
        { origin: checkpoint?.origin, size: checkpoint?.size, root: checkpoint?.root },
        { origin: log.origin, size: 7, root: genuine.checkpoint?.root },
      )
      assert.equal(read.index, genuine.receipt.index)
      assert.deepEqual(read.leaf, genuine.receipt.leaf)
      for (const part of parts) {
        if (read.disclosed[part] !== undefined) {
          assert.deepEqual(read.disclosed[part], genuine.receipt.disclosed[part])
        }
      }
    }
    return verdict
  } catch (error) {
    if (error instanceof TlogError) return error.code
    throw error
  }
}

const refusals = new Set([
  'bad_signature',
  'content_mismatch',
  'not_covered',
  'unknown_version',
  'malformed_proof',
  'malformed_note',
  'malformed_checkpoint',
  'malformed_key',
  'unsupported_key',
])

test('P14 a receipt with changed bytes is refused, or means the same', () => {
  const bytes = encodeUtf8(text)
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 3 }), fc.boolean(), (several, isPinned) => {
      const changed = several.reduce(applied, bytes)
      const found = outcome(nodeCrypto, changed, isPinned ? [logKey] : [])
      assert.ok(refusals.has(found) || found === (isPinned ? 'ok' : 'ok_unpinned'), found)
    }),
    { numRuns: 3000 },
  )
})

test('P14 P27 a receipt with changes inside its extra line is refused, or means the same', () => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 3 }), fc.boolean(), (several, isPinned) => {
      const changed = several.reduce(applied, extra)
      fc.pre(changed.length > 0)
      const found = outcome(nodeCrypto, receiptWithExtra(changed), isPinned ? [logKey] : [])
      assert.ok(refusals.has(found) || found === (isPinned ? 'ok' : 'ok_unpinned'), found)
    }),
    { numRuns: 3000 },
  )
})

test('P14 no byte of a pinned receipt can be replaced, but those of the key that is not believed', () => {
  const bytes = encodeUtf8(text)
  const keyStart = Buffer.from(extra).indexOf(log.verifierKey)
  // Four letters of base64 are three bytes; the first of them may reach back into the byte before.
  const lineStart = text.indexOf('extra ') + 'extra '.length
  const free = { start: lineStart + Math.floor(keyStart / 3) * 4, end: text.indexOf('\nindex ') }
  let freeCount = 0
  for (let at = 0; at < bytes.length; at++) {
    for (const replacement of [bytes[at]! ^ 1, 0x41, 0x0a]) {
      if (replacement === bytes[at]) continue
      const found = outcome(nodeCrypto, bytes.with(at, replacement), [logKey])
      if (found === 'ok') {
        assert.ok(at >= free.start && at < free.end, `byte ${at} replaced by ${replacement}`)
        freeCount++
      } else {
        assert.ok(refusals.has(found), found)
      }
    }
  }
  assert.ok(freeCount > 0)
})

test('P5 no changed bit of a leaf, salt or content is accepted', () => {
  const { leaf, disclosed } = genuine.receipt
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(7),
      fc.constantFrom('leaf', ...parts),
      fc.boolean(),
      (at, bit, where, isSalt) => {
        const flip = (bytes: Uint8Array): Uint8Array =>
          bytes.with(at % bytes.length, bytes[at % bytes.length]! ^ (1 << bit))
        let forged: Receipt = { ...genuine.receipt, leaf: flip(leaf) }
        if (where !== 'leaf') {
          const { salt, content } = disclosed[where]!
          const changed = isSalt ? { salt: flip(salt), content } : { salt, content: flip(content) }
          forged = { ...genuine.receipt, disclosed: { ...disclosed, [where]: changed } }
        }
        assert.equal(outcome(nodeCrypto, formatReceipt(forged), [logKey]), 'content_mismatch')
        assert.equal(outcome(nodeCrypto, formatReceipt(forged), []), 'content_mismatch')
      },
    ),
    { numRuns: 1000 },
  )
})

test('parts of two receipts do not make a third', () => {
  const other = orderReceipt({ index: 5, size: 300, disclosed: parts })
  const members = ['index', 'leaf', 'proof', 'checkpoint'] as const
  for (let mask = 1; mask < 2 ** members.length - 1; mask++) {
    const taken = members.filter((_, i) => (mask >> i) & 1)
    const mixed = { ...genuine.receipt, ...Object.fromEntries(taken.map(name => [name, other[name]])) }
    // Both are of the same leaf, so taking that changes nothing.
    if (taken.join() === 'leaf' || taken.join() === 'index,proof,checkpoint') continue
    assert.equal(outcome(nodeCrypto, formatReceipt(mixed), [logKey]), 'content_mismatch', taken.join())
  }
})

test('node and browser agree about every changed receipt', () => {
  const bytes = encodeUtf8(text)
  fc.assert(
    fc.property(changes, fc.boolean(), fc.boolean(), (change, isInside, isPinned) => {
      const changed = isInside ? receiptWithExtra(applied(extra, change)) : applied(bytes, change)
      const keys = isPinned ? [logKey] : []
      assert.equal(outcome(browserCrypto, changed, keys), outcome(nodeCrypto, changed, keys))
    }),
    { numRuns: 300 },
  )
})
