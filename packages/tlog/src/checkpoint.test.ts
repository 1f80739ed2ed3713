import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { decodeHex, encodeBase64, encodeHex, encodeUtf8 } from './encoding.ts'
import { emptyRoot } from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { signNote } from './note.ts'
import { ed25519Cosigner, ed25519Signer } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { checkpointText, cosignedNote, countingBytes, log, rootOf7, witness } from './testing/vectors.ts'
import { parseVerifierKey } from './verifier-key.ts'

const root = decodeHex(rootOf7)!
const logSigner = ed25519Signer(log.origin, log.seed)
const logKey = logSigner.verifierKey
const malformed = tlogError('malformed_checkpoint')

testWithBoth('tlog-checkpoint the worked example is written, opened and read', crypto => {
  assert.equal(formatCheckpoint({ origin: log.origin, size: 7, root }), checkpointText)
  const bodyHash = '56d3abfdb9006299e96ea5120f10d42255509b87b2eae677af72e4b02e9dd56f'
  assert.equal(encodeHex(crypto.sha256(encodeUtf8(checkpointText))), bodyHash)
  const keys = [logKey, parseVerifierKey(crypto.sha256, witness.verifierKey)]
  const { note, ...checkpoint } = openCheckpoint(crypto, cosignedNote, keys)
  assert.deepEqual(checkpoint, { origin: log.origin, size: 7, root, extensions: [] })
  assert.deepEqual(
    note.verified.map(({ name }) => name),
    [log.origin, witness.name],
  )
})

test('tlog-checkpoint every checkpoint is read back', () => {
  const origin = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter(text => !/[\x00-\x1f]/.test(text))
  const checkpoint = fc.record(
    { origin, size: fc.maxSafeNat(), root: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(checkpoint, checkpoint => {
      assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), { ...checkpoint, extensions: [] })
    }),
  )
})

testWithBoth('P8 an empty log has a checkpoint: size 0 and the root of the empty tree, no other', crypto => {
  const empty = formatCheckpoint({ origin: log.origin, size: 0, root: emptyRoot(crypto.sha256) })
  assert.equal(openCheckpoint(crypto, signNote(empty, [logSigner]), [logKey]).size, 0)
  const wrong = formatCheckpoint({ origin: log.origin, size: 0, root })
  assert.throws(() => openCheckpoint(crypto, signNote(wrong, [logSigner]), [logKey]), malformed)
})

test('P14 texts that are not exactly a checkpoint are refused', () => {
  const [origin, size, base64] = checkpointText.split('\n') as [string, string, string]
  const refused = [
    ...[
      '',
      '\n',
      '\n\n\n',
      origin,
      `${origin}\n${size}\n`,
      `${origin}\n${size}\n${base64}`,
      `\n${size}\n${base64}\n`,
    ],
    ...['07', '+7', '-7', '7 ', ' 7', '7.0', '7e0', '0x7', '٧', '', '9007199254740992'].map(
      s => `${origin}\n${s}\n${base64}\n`,
    ),
    ...[
      base64.slice(0, -1),
      base64.replaceAll('/', '_'),
      ` ${base64}`,
      base64.replace('jg=', 'jh='),
      '',
      '7',
    ].map(r => `${origin}\n7\n${r}\n`),
    ...[31, 33, 16, 0].map(length => `${origin}\n7\n${encodeBase64(new Uint8Array(length))}\n`),
    ...[`${checkpointText}\n`, `${checkpointText}a\n\nb\n`, `${checkpointText}a`, `${checkpointText}a\tb\n`],
    ...[
      `a\rb\n7\n${base64}\n`,
      `${origin}\r\n7\r\n${base64}\r\n`,
      `a\ud800\n7\n${base64}\n`,
      `${'a'.repeat(256)}\n7\n${base64}\n`,
    ],
    `${'é'.repeat(128)}\n7\n${base64}\n`,
  ]
  for (const text of refused) assert.throws(() => parseCheckpoint(text), malformed, JSON.stringify(text))
  for (const longest of ['a'.repeat(255), `${'é'.repeat(127)}a`, 'an origin + with blanks']) {
    assert.equal(parseCheckpoint(`${longest}\n7\n${base64}\n`).origin, longest)
  }
})

test('P18 extension lines are reported, and never written', () => {
  const parsed = parseCheckpoint(`${checkpointText}one\ntwo three\n`)
  assert.deepEqual(parsed.extensions, ['one', 'two three'])
  assert.equal(formatCheckpoint(parsed), checkpointText)
})

testWithBoth('P28 only a key of the log itself speaks for an origin', crypto => {
  const unknown = tlogError('unknown_key')
  const other = ed25519Signer('other.example', countingBytes(0x40))
  const byOther = signNote(checkpointText, [other])
  assert.throws(() => openCheckpoint(crypto, byOther, [logKey, other.verifierKey]), unknown)
  // A witness that carries the name of the origin is still a witness.
  const namesake = ed25519Cosigner(log.origin, witness.seed, () => witness.time)
  const byNamesake = signNote(checkpointText, [namesake])
  assert.throws(() => openCheckpoint(crypto, byNamesake, [logKey, namesake.verifierKey]), unknown)
  const both = signNote(checkpointText, [namesake, logSigner])
  assert.equal(openCheckpoint(crypto, both, [logKey, namesake.verifierKey]).size, 7)
  // And an unknown log line beside a known witness is not a signature of the log.
  const keys = [parseVerifierKey(crypto.sha256, witness.verifierKey)]
  assert.throws(() => openCheckpoint(crypto, cosignedNote, keys), unknown)
})

testWithBoth('tlog-checkpoint rotation: either of two keys of the log is enough', crypto => {
  const next = ed25519Signer(log.origin, countingBytes(0x70))
  const note = signNote(checkpointText, [logSigner, next])
  for (const keys of [[logKey], [next.verifierKey], [logKey, next.verifierKey]]) {
    assert.equal(openCheckpoint(crypto, note, keys).note.verified.length, keys.length)
  }
})

testWithBoth('a signed note that is no checkpoint is refused', crypto => {
  const note = signNote('hello\n', [logSigner])
  assert.throws(() => openCheckpoint(crypto, note, [logKey]), malformed)
})

test('what cannot be a checkpoint is not written', () => {
  for (const origin of ['', 'a\nb', 'a\tb', 'a\ud800', 'a'.repeat(256)]) {
    assert.throws(() => formatCheckpoint({ origin, size: 7, root }), malformed, JSON.stringify(origin))
  }
  assert.throws(() => formatCheckpoint({ origin: 'a', size: 7, root: root.subarray(1) }), malformed)
  for (const size of [-1, 1.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => formatCheckpoint({ origin: 'a', size, root }), tlogError('size_out_of_range'))
  }
})

test('P22 a checkpoint of one log is not taken for that of another', () => {
  const elsewhere = ed25519Signer('ledger.example/other', log.seed)
  const note = signNote(formatCheckpoint({ origin: log.origin, size: 7, root }), [elsewhere])
  assert.throws(() => openCheckpoint(nodeCrypto, note, [elsewhere.verifierKey]), tlogError('unknown_key'))
})
