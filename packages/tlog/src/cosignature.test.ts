import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cosignedMessage, formatCosignature, parseCosignature, verifyCosignature } from './cosignature.ts'
import { concatBytes, decodeBase64, encodeHex, encodeUtf8 } from './encoding.ts'
import { openNote, parseNote, signNote } from './note.ts'
import { ed25519Cosigner } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { checkpointText, cosignedNote, witness, witnessLine } from './testing/vectors.ts'
import { formatVerifierKey, parseVerifierKey, signatureTypes } from './verifier-key.ts'

const malformed = tlogError('malformed_cosignature')
const { ed25519Cosignature, mldsa44Cosignature } = signatureTypes
const field = parseNote(cosignedNote).signatures[1]!.signature

test('P19 the time of the worked example is big-endian', () => {
  const { time, signature } = parseCosignature(ed25519Cosignature, field)
  assert.equal(time, witness.time)
  assert.equal(signature.length, 64)
  assert.equal(encodeHex(field.subarray(0, 8)), '000000006553f100')
  assert.deepEqual(formatCosignature({ time, signature }), field)
  const message = new TextDecoder().decode(cosignedMessage(time, encodeUtf8(checkpointText)))
  assert.equal(message, `cosignature/v1\ntime 1700000000\n${checkpointText}`)
})

testWithBoth('P19 a time written the other way round, or changed, does not pass', crypto => {
  const { publicKey } = parseVerifierKey(crypto.sha256, witness.verifierKey)
  const text = encodeUtf8(checkpointText)
  assert.equal(verifyCosignature(crypto, publicKey, text, field), witness.time)
  const reversed = concatBytes(field.slice(0, 8).reverse(), field.subarray(8))
  assert.throws(() => verifyCosignature(crypto, publicKey, text, reversed), malformed)
  const later = field.with(7, field[7]! + 1)
  assert.equal(parseCosignature(ed25519Cosignature, later).time, witness.time + 1)
  assert.throws(() => verifyCosignature(crypto, publicKey, text, later), tlogError('bad_signature'))
})

testWithBoth('P18 extension lines are part of what an Ed25519 cosignature covers', crypto => {
  const cosigner = ed25519Cosigner(witness.name, witness.seed, () => witness.time)
  const note = signNote(`${checkpointText}extension\n`, [cosigner])
  assert.equal(openNote(crypto, note, [cosigner.verifierKey]).text, `${checkpointText}extension\n`)
  const stripped = note.replace('extension\n', '')
  assert.throws(() => openNote(crypto, stripped, [cosigner.verifierKey]), tlogError('bad_signature'))
  const added = `${checkpointText}extension\n\n${witnessLine}`
  assert.throws(() => openNote(crypto, added, [cosigner.verifierKey]), tlogError('bad_signature'))
})

test('tlog-cosignature a cosigner signs the present time, each time anew', () => {
  let now = 5
  const cosigner = ed25519Cosigner(witness.name, witness.seed, () => now)
  assert.equal(formatVerifierKey(cosigner.verifierKey), witness.verifierKey)
  const timeOf = (note: string): number =>
    parseCosignature(ed25519Cosignature, parseNote(note).signatures[0]!.signature).time
  assert.equal(timeOf(signNote(checkpointText, [cosigner])), 5)
  now = witness.time
  assert.equal(signNote(checkpointText, [cosigner]), `${checkpointText}\n${witnessLine}`)
  for (const wrong of [1.5, -1, Number.NaN, 2 ** 53]) {
    now = wrong
    assert.throws(() => signNote(checkpointText, [cosigner]), malformed)
  }
})

test('tlog-cosignature ML-DSA-44 cosignatures are read: 8 bytes of time and 2,420 of signature', () => {
  const signature = new Uint8Array(2420).fill(3)
  const bytes = formatCosignature({ time: 0, signature })
  assert.equal(bytes.length, 2428)
  assert.deepEqual(parseCosignature(mldsa44Cosignature, bytes), { time: 0, signature })
  const line = `— pq.example ${Buffer.from(concatBytes(new Uint8Array(4), bytes)).toString('base64')}\n`
  const [parsed] = parseNote(`${checkpointText}\n${line}`).signatures
  assert.equal(line.split(' ')[2]!.trimEnd().length, 3244)
  assert.deepEqual(parseCosignature(mldsa44Cosignature, parsed!.signature), { time: 0, signature })
})

test('P17 fields of another length, and times that are none, are refused', () => {
  for (const length of [0, 8, 64, 71, 73, 2428]) {
    assert.throws(() => parseCosignature(ed25519Cosignature, new Uint8Array(length)), malformed, `${length}`)
  }
  for (const length of [0, 72, 2420, 2427, 2429]) {
    assert.throws(() => parseCosignature(mldsa44Cosignature, new Uint8Array(length)), malformed, `${length}`)
  }
  assert.throws(() => parseCosignature(ed25519Cosignature, new Uint8Array(72).fill(0xff)), malformed)
  assert.throws(() => formatCosignature({ time: 1, signature: new Uint8Array(63) }), malformed)
  assert.throws(() => formatCosignature({ time: 0.5, signature: new Uint8Array(64) }), malformed)
})

test('a cosignature read from a Buffer does not share its memory', () => {
  const buffer = Buffer.from(field)
  const { signature } = parseCosignature(ed25519Cosignature, buffer)
  buffer.fill(0)
  assert.deepEqual(signature, decodeBase64(witnessLine.split(' ')[2]!.trimEnd())!.subarray(12))
})
