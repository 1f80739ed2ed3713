// Each verdict that checking a receipt can end in, and what is no receipt at all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Part, parts } from './commitment.ts'
import type { TlogCrypto } from './crypto.ts'
import { concatBytes, decodeHex, encodeUtf8 } from './encoding.ts'
import { leafHash } from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { signNote } from './note.ts'
import { checkReceipt, formatReceipt, parseReceipt, type Receipt, type ReceiptReport } from './receipt.ts'
import { ed25519Cosigner, ed25519Signer } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { bareReceipt, disclosingExtra, sampleLeaf } from './testing/receipt-vectors.ts'
import { disclose, orderReceipt, receiptWithExtra } from './testing/receipts.ts'
import { checkpointText, countingBytes, log, logLine, witness } from './testing/vectors.ts'
import type { Verdict } from './verdict.ts'
import { formatVerifierKey, type VerifierKey } from './verifier-key.ts'

const logSigner = ed25519Signer(log.origin, log.seed)
const logKey = logSigner.verifierKey
const namesake = ed25519Signer(log.origin, countingBytes(0x40))
const pinned: readonly VerifierKey[] = [logKey]

/** Checks a receipt and insists on the verdict, and on a sentence that says why. */
function expect(
  crypto: TlogCrypto,
  verdict: Verdict,
  receipt: string | Receipt,
  detail: RegExp,
  keys: readonly VerifierKey[] = pinned,
): ReceiptReport {
  const report = checkReceipt(crypto, typeof receipt === 'string' ? receipt : formatReceipt(receipt), keys)
  assert.equal(report.verdict, verdict, report.detail)
  assert.match(report.detail, detail)
  return report
}

testWithBoth('DESIGN 7.3 ok: the worked receipt against the key that the reader brought', crypto => {
  const report = expect(crypto, 'ok', bareReceipt, /^The leaf is at index 2 of the signed tree of size 7\.$/)
  assert.equal(report.leaf?.ledger, log.origin)
  assert.equal(report.checkpoint?.origin, log.origin)
  assert.equal(report.checkpoint.size, 7)
  assert.deepEqual(report.receipt, parseReceipt(bareReceipt))
  assert.deepEqual(checkReceipt(crypto, encodeUtf8(bareReceipt), pinned), report)
})

testWithBoth('DESIGN 7.3 ok: disclosed parts are checked and counted', crypto => {
  expect(crypto, 'ok', receiptWithExtra(disclosingExtra), /2 disclosed parts match their commitment\.$/)
  for (const part of parts) {
    const { receipt } = expect(
      crypto,
      'ok',
      orderReceipt({ disclosed: [part] }),
      /1 disclosed part matches its/,
    )
    assert.deepEqual(Object.keys(receipt.disclosed), [part])
  }
  expect(crypto, 'ok', orderReceipt({ disclosed: parts }), /4 disclosed parts/)
})

testWithBoth('DESIGN 7.3 ok_unpinned: the key that came with the receipt never gives plain ok', crypto => {
  expect(crypto, 'ok_unpinned', bareReceipt, /index 2/, [])
  // Anybody can make a receipt that agrees with itself.
  const forged = {
    ...orderReceipt({ signers: [namesake] }),
    verifierKey: formatVerifierKey(namesake.verifierKey),
  }
  expect(crypto, 'ok_unpinned', forged, /index 2/, [])
  expect(crypto, 'bad_signature', forged, /no known key/)
})

testWithBoth('P15 the key in the receipt counts for nothing beside a pinned one', crypto => {
  const strangersKey = formatVerifierKey(namesake.verifierKey)
  for (const verifierKey of [strangersKey, 'no key at all', '']) {
    expect(crypto, 'ok', { ...orderReceipt(), verifierKey }, /index 2/)
  }
  expect(crypto, 'bad_signature', { ...orderReceipt(), verifierKey: strangersKey }, /no known key/, [])
})

testWithBoth('rotation: either of two keys of the ledger is enough', crypto => {
  const receipt = orderReceipt({ signers: [logSigner, namesake] })
  for (const keys of [[logKey], [namesake.verifierKey], [logKey, namesake.verifierKey]]) {
    expect(crypto, 'ok', receipt, /index 2/, keys)
  }
})

testWithBoth(
  'bad_signature: a stranger, a namesake, a witness alone, a signature that does not fit',
  crypto => {
    const stranger = ed25519Signer('stranger.example', countingBytes(0x40))
    const cosigner = ed25519Cosigner(witness.name, witness.seed, () => witness.time)
    const known = orderReceipt()
    expect(
      crypto,
      'bad_signature',
      orderReceipt({ signers: [stranger] }),
      /no known key, but by "stranger\.example"/,
    )
    expect(crypto, 'bad_signature', orderReceipt({ signers: [namesake] }), /no known key/)
    expect(crypto, 'bad_signature', known, /no known key/, [stranger.verifierKey])
    const cosigned = orderReceipt({ signers: [logSigner, cosigner] })
    expect(crypto, 'ok', cosigned, /index 2/, [logKey, cosigner.verifierKey])
    expect(crypto, 'bad_signature', cosigned, /not signed by a known key of its log/, [cosigner.verifierKey])
    // The line of the right key under another checkpoint.
    const moved = { ...known, checkpoint: known.checkpoint.replace(/— .*\n/, logLine) }
    const report = expect(crypto, 'bad_signature', moved, /does not verify/)
    assert.equal(report.checkpoint, undefined)
    assert.equal(report.leaf, undefined)
  },
)

testWithBoth('P28 bad_signature: a known key of another log does not speak for this one', crypto => {
  const elsewhere = ed25519Signer('ledger.example/other', countingBytes(0x40))
  const receipt = orderReceipt({ signers: [elsewhere] })
  expect(crypto, 'bad_signature', receipt, /not signed by a known key of its log/, [
    logKey,
    elsewhere.verifierKey,
  ])
})

testWithBoth('P18 bad_signature: extension lines under a valid signature of the ledger', crypto => {
  for (const extensions of ['time 1700000000\n', 'a\nb\n']) {
    const report = expect(
      crypto,
      'bad_signature',
      orderReceipt({ extensions }),
      /extension line.*signature fits/,
    )
    assert.equal(report.checkpoint, undefined)
    assert.equal(report.leaf, undefined)
    expect(crypto, 'bad_signature', orderReceipt({ extensions }), /extension line/, [])
  }
})

testWithBoth('content_mismatch: a leaf of another ledger, under a signature of this one', crypto => {
  const leaf = sampleLeaf.replace(log.origin, 'ledger.example/other')
  const report = expect(
    crypto,
    'content_mismatch',
    orderReceipt({ leaf }),
    /"ledger\.example\/other".*"ledger\.example\/acme"/,
  )
  assert.equal(report.checkpoint?.origin, log.origin)
  const twin = ed25519Signer('ledger.example/other', log.seed)
  const receipt = orderReceipt({ origin: twin.name, signers: [twin] })
  expect(crypto, 'content_mismatch', receipt, /belongs to "ledger\.example\/acme"/, [twin.verifierKey])
})

testWithBoth('P5 content_mismatch: a changed leaf, index or proof', crypto => {
  const receipt = orderReceipt()
  const changed: Partial<Receipt>[] = [
    { leaf: encodeUtf8(sampleLeaf.replace('05.678Z', '05.679Z')) },
    { leaf: encodeUtf8(sampleLeaf.replace('"v":1', '"v":2')) },
    { leaf: new Uint8Array(0) },
    { leaf: leafHash(crypto.sha256, receipt.leaf) },
    { index: 3 },
    { index: 0 },
    { proof: receipt.proof.toReversed() },
    { proof: receipt.proof.slice(1) },
    { proof: [...receipt.proof, receipt.proof[0]!] },
  ]
  for (const members of changed) {
    const report = expect(crypto, 'content_mismatch', { ...receipt, ...members }, /proof/)
    assert.equal(report.leaf, undefined, 'nothing is said about a leaf that is not proved')
  }
})

testWithBoth('content_mismatch: an entry of the log that is no event leaf', crypto => {
  for (const leaf of ['event-2', '{"v":1}', `${sampleLeaf}\n`]) {
    const report = expect(crypto, 'content_mismatch', orderReceipt({ leaf }), /leaf is no/)
    assert.equal(report.leaf, undefined)
    assert.equal(report.checkpoint?.size, 7)
  }
})

testWithBoth('P1 content_mismatch: a disclosed part with another byte, salt or place', crypto => {
  for (const part of parts) {
    const receipt = orderReceipt({ disclosed: [part] })
    const { salt, content } = receipt.disclosed[part]!
    const other: Part = part === 'core' ? 'context' : 'core'
    const forged: Receipt['disclosed'][] = [
      { [part]: { salt, content: content.with(0, 0x5b) } },
      { [part]: { salt, content: concatBytes(content, Uint8Array.of(0x0a)) } },
      { [part]: { salt, content: new Uint8Array(0) } },
      { [part]: { salt: salt.with(31, 0xff), content } },
      { [part]: { salt: new Uint8Array(32), content } },
      { [other]: { salt, content } },
      { ...disclose([other]), [part]: disclose([other])[other]! },
    ]
    for (const disclosed of forged) {
      expect(
        crypto,
        'content_mismatch',
        { ...receipt, disclosed },
        /^The disclosed \w+ is not what the leaf at index 2/,
      )
    }
  }
})

testWithBoth('not_covered: a checkpoint that does not reach as far as the leaf', crypto => {
  const { checkpoint } = orderReceipt({ size: 2, index: 1 })
  for (const index of [2, 3, Number.MAX_SAFE_INTEGER]) {
    const report = expect(crypto, 'not_covered', { ...orderReceipt(), index, checkpoint }, /2/)
    assert.equal(report.leaf, undefined)
  }
})

testWithBoth(
  'P8 P11 F17 an empty proof is that of the only leaf of a log of one, and of no other',
  crypto => {
    const only = orderReceipt({ index: 0, size: 1 })
    assert.deepEqual(only.proof, [])
    expect(crypto, 'ok', only, /index 0 of the signed tree of size 1/)
    expect(crypto, 'not_covered', { ...only, index: 1 }, /1/)
    for (const size of [2, 3, 7, 8]) {
      for (const index of [0, size - 1]) {
        const receipt = orderReceipt({ index, size })
        expect(crypto, 'ok', receipt, new RegExp(`index ${index} of the signed tree of size ${size}`))
        expect(crypto, 'content_mismatch', { ...receipt, proof: [] }, /proof/)
      }
    }
    // A tree whose root is the leaf hash itself, but with more than one leaf by its own account.
    const root = Buffer.from(leafHash(crypto.sha256, only.leaf)).toString('base64')
    const claim = logSigner.sign(encodeUtf8(`${log.origin}\n7\n${root}\n`))
    const field = Buffer.concat([decodeHex('f1d8e151')!, claim]).toString('base64')
    const checkpoint = `${log.origin}\n7\n${root}\n\n— ${log.origin} ${field}\n`
    expect(crypto, 'content_mismatch', { ...only, checkpoint }, /proof/)
  },
)

testWithBoth('F13 unknown_version: a leaf of a later version, proved but not read', crypto => {
  const report = expect(crypto, 'unknown_version', orderReceipt({ leaf: '{"v":2}' }), /leaf has version 2/)
  assert.equal(report.leaf, undefined)
  assert.equal(report.checkpoint?.size, 7)
})

testWithBoth('P11 unknown_version: of a later receipt only what every proof file has is shown', crypto => {
  const later = receiptWithExtra('{"v":2,"leaves":[]}')
  for (const keys of [pinned, []]) {
    const report = expect(crypto, 'unknown_version', later, /receipt has version 2/, keys)
    const { index, proof, checkpoint } = parseReceipt(bareReceipt)
    assert.deepEqual(report.receipt, {
      index,
      proof,
      checkpoint,
      leaf: new Uint8Array(0),
      verifierKey: '',
      disclosed: {},
    })
    assert.equal(report.leaf, undefined)
    assert.equal(report.checkpoint, undefined)
  }
})

testWithBoth('P6 what is no receipt is an error, not a verdict', crypto => {
  const receipt = orderReceipt()
  const mldsa: VerifierKey = { name: log.origin, keyId: 7, type: 0x06, publicKey: new Uint8Array(1312) }
  const cosigner = ed25519Cosigner(witness.name, witness.seed, () => witness.time)
  const shortLine = `— ${witness.name} IDJKvgA=\n`
  const check =
    (members: Partial<Receipt>, keys: readonly VerifierKey[] = pinned) =>
    () =>
      checkReceipt(crypto, formatReceipt({ ...receipt, ...members }), keys)
  assert.throws(() => checkReceipt(crypto, '', pinned), tlogError('malformed_proof'))
  assert.throws(() => checkReceipt(crypto, receiptWithExtra('{}'), pinned), tlogError('malformed_proof'))
  assert.throws(check({ checkpoint: checkpointText }), tlogError('malformed_note'))
  assert.throws(
    check({ checkpoint: signNote('no checkpoint\n', [logSigner]) }),
    tlogError('malformed_checkpoint'),
  )
  assert.throws(check({ verifierKey: 'no key' }, []), tlogError('malformed_key'))
  assert.throws(check({}, [mldsa]), tlogError('unsupported_key'))
  const withShortLine = { checkpoint: receipt.checkpoint + shortLine }
  assert.equal(check(withShortLine)().verdict, 'ok')
  assert.throws(check(withShortLine, [logKey, cosigner.verifierKey]), tlogError('malformed_cosignature'))
})

test('the cause of an error that is none of ours is not hidden', () => {
  const broken: TlogCrypto = {
    ...nodeCrypto,
    verifyEd25519() {
      throw new RangeError('out of memory')
    },
  }
  assert.throws(() => checkReceipt(broken, bareReceipt, pinned), RangeError)
})
