import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64, encodeHex, encodeUtf8 } from './encoding.ts'
import { nodeCrypto } from './node-crypto.ts'
import { openNote, signNote } from './note.ts'
import { ed25519Cosigner, ed25519Signer, generateSigningKey, parseSigningKey } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { countingBytes, log } from './testing/vectors.ts'
import { formatVerifierKey, parseVerifierKey } from './verifier-key.ts'

const malformed = tlogError('malformed_key')

test('signed-note the signing key of the worked example', () => {
  const { name, keyId, seed } = parseSigningKey(log.signingKey)
  assert.equal(name, log.origin)
  assert.equal(keyId, log.keyId)
  assert.deepEqual(seed, countingBytes(0))
  const signer = ed25519Signer(name, seed)
  assert.equal(signer.keyId, log.keyId)
  assert.equal(encodeHex(signer.verifierKey.publicKey), log.publicKey)
  assert.equal(formatVerifierKey(signer.verifierKey), log.verifierKey)
})

testWithBoth('a generated key signs what its verifier key verifies, and no two are alike', crypto => {
  const first = generateSigningKey('ledger.example/new')
  const second = generateSigningKey('ledger.example/new')
  assert.notEqual(first.privateKey, second.privateKey)
  const { name, seed } = parseSigningKey(first.privateKey)
  const note = signNote('hello\n', [ed25519Signer(name, seed)])
  const keys = [first, second].map(({ verifierKey }) => parseVerifierKey(crypto.sha256, verifierKey))
  assert.deepEqual(
    openNote(crypto, note, keys).verified.map(({ key }) => key),
    keys.slice(0, 1),
  )
})

test('P14 damaged signing keys are refused, and never repeated in the message', () => {
  const secret = encodeBase64(countingBytes(0)).slice(4, 24)
  const [, , name, id, base64] = log.signingKey.split('+')
  const refusal = tlogError('malformed_key', 'unsupported_key')
  const refused = [
    ...[
      '',
      'PRIVATE',
      'PRIVATE+KEY+',
      log.verifierKey,
      log.signingKey.toLowerCase(),
      ` ${log.signingKey}`,
      `${log.signingKey}\n`,
    ],
    ...[
      `PRIVATE+KEY+${name}+00000000+${base64}`,
      `PRIVATE+KEY+other+${id}+${base64}`,
      `PRIVATE+KEY+${name}+${id}+${base64!.slice(4)}`,
    ],
    ...[
      `PRIVATE+KEY+${name}+${id}`,
      `PRIVATE+KEY+${name}+${id}+${base64!.slice(0, -1)}g`,
      `PRIVATE+KEY++${id}+${base64}`,
    ],
  ]
  for (const text of refused) {
    assert.throws(
      () => parseSigningKey(text),
      (error: Error) =>
        refusal(error) && !error.message.includes(secret) && !error.message.includes(base64!.slice(8, 20)),
      text,
    )
  }
  const otherType = encodeBase64(Uint8Array.of(2, ...countingBytes(0)))
  assert.throws(() => parseSigningKey(`PRIVATE+KEY+${name}+${id}+${otherType}`), tlogError('unsupported_key'))
})

test('names and seeds that cannot be used are refused', () => {
  assert.throws(() => ed25519Signer('a b', countingBytes(0)), malformed)
  assert.throws(() => ed25519Signer('a', new Uint8Array(31)), malformed)
  assert.throws(() => ed25519Cosigner('a', new Uint8Array(64), () => 0), malformed)
  assert.throws(() => generateSigningKey('a+b'), malformed)
})

test('one seed gives a log and a witness different key ids, and neither passes for the other', () => {
  const signer = ed25519Signer('a.example', countingBytes(0))
  const cosigner = ed25519Cosigner('a.example', countingBytes(0), () => 1)
  assert.deepEqual(signer.verifierKey.publicKey, cosigner.verifierKey.publicKey)
  assert.notEqual(signer.keyId, cosigner.keyId)
  const asCosigner = { ...signer.verifierKey, type: cosigner.verifierKey.type }
  const note = signNote('hello\n', [signer])
  assert.throws(() => openNote(nodeCrypto, note, [asCosigner]), tlogError('malformed_cosignature'))
  assert.equal(
    nodeCrypto.verifyEd25519(
      signer.verifierKey.publicKey,
      encodeUtf8('hello\n'),
      signer.sign(encodeUtf8('hello\n')),
    ),
    true,
  )
})
