import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, decodeUtf8, encodeBase64, encodeUtf8 } from './encoding.ts'
import { nodeCrypto } from './node-crypto.ts'
import { formatNote, openNote, parseNote, signNote } from './note.ts'
import type { NoteSigner } from './note-signer.ts'
import { ed25519Cosigner, ed25519Signer } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import {
  checkpointText,
  cosignedNote,
  countingBytes,
  log,
  logLine,
  logNote,
  witness,
  witnessLine,
} from './testing/vectors.ts'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts'

const { sha256 } = nodeCrypto
const logKey = parseVerifierKey(sha256, log.verifierKey)
const witnessKey = parseVerifierKey(sha256, witness.verifierKey)
const logSigner = ed25519Signer(log.origin, log.seed)
const malformed = tlogError('malformed_note')

testWithBoth('signed-note the cosigned checkpoint of the worked example opens', crypto => {
  const opened = openNote(crypto, cosignedNote, [logKey, witnessKey])
  assert.equal(opened.text, checkpointText)
  assert.deepEqual(
    opened.verified.map(({ name, keyId, time }) => ({ name, keyId, time })),
    [
      { name: log.origin, keyId: log.keyId, time: undefined },
      { name: witness.name, keyId: witness.keyId, time: witness.time },
    ],
  )
  assert.deepEqual(opened.unverified, [])
  assert.deepEqual(openNote(crypto, encodeUtf8(cosignedNote), [logKey, witnessKey]), opened)
})

test('signed-note the note of the worked example is reproduced byte for byte', () => {
  const cosigner = ed25519Cosigner(witness.name, witness.seed, () => witness.time)
  assert.equal(signNote(checkpointText, [logSigner]), logNote)
  assert.equal(signNote(checkpointText, [logSigner, cosigner]), cosignedNote)
  assert.equal(formatNote(parseNote(cosignedNote)), cosignedNote)
})

testWithBoth('signed-note published notes verify: the one of the specification and the one of Go', crypto => {
  const published = [
    {
      key: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
      text: 'This is an example message.\n',
      line: '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    },
    {
      key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
      text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
      line: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
    },
  ]
  for (const { key, text, line } of published) {
    const opened = openNote(crypto, `${text}\n${line}`, [parseVerifierKey(crypto.sha256, key)])
    assert.equal(opened.text, text)
    assert.deepEqual(
      opened.verified.map(({ key }) => formatVerifierKey(key)),
      [key],
    )
  }
})

testWithBoth('P14 text and signatures part at the last empty line', crypto => {
  const text = `first\n\n— ${log.origin} AAAAAAAA\n\nlast\n`
  const note = signNote(text, [logSigner])
  assert.equal(openNote(crypto, note, [logKey]).text, text)
  // The same bytes, read up to the first empty line, would be a text that nobody signed.
  const forged = note.replace('first\n', 'forged\n')
  assert.throws(() => openNote(crypto, forged, [logKey]), tlogError('bad_signature'))
})

test('P14 whatever is not exactly a signed note is refused', () => {
  const raw = (bytes: readonly number[]): Uint8Array =>
    concatBytes(encodeUtf8(checkpointText), Uint8Array.from(bytes))
  const name = log.origin
  const base64 = logLine.split(' ')[2]!.trimEnd()
  const refused: [string, string | Uint8Array][] = [
    ['empty', ''],
    ['no empty line', checkpointText + logLine],
    ['no signature', `${checkpointText}\n`],
    ['an empty line after the signatures', `${logNote}\n`],
    ['unfinished last line', logNote.slice(0, -1)],
    ['carriage returns', logNote.replaceAll('\n', '\r\n')],
    ['a tab in the text', logNote.replace('7', '7\t')],
    ['a zero byte', logNote.replace('7', '7\0')],
    ['an escape character in the text', logNote.replace('7', '7\x1b')],
    ['no newline before the empty line', `\n${logLine}`],
    ['hyphen for dash', `${checkpointText}\n- ${name} ${base64}\n`],
    ['en dash for em dash', `${checkpointText}\n– ${name} ${base64}\n`],
    ['no space after the dash', `${checkpointText}\n—${name} ${base64}\n`],
    ['two spaces after the dash', `${checkpointText}\n—  ${name} ${base64}\n`],
    ['two spaces before the base64', `${checkpointText}\n— ${name}  ${base64}\n`],
    ['a space after the base64', `${checkpointText}\n— ${name} ${base64} \n`],
    ['no name', `${checkpointText}\n—  ${base64}\n`],
    ['no base64', `${checkpointText}\n— ${name} \n`],
    ['name only', `${checkpointText}\n— ${name}\n`],
    ['dash only', `${checkpointText}\n— \n`],
    ['a plus in the name', `${checkpointText}\n— a+b ${base64}\n`],
    ['a no-break space in the name', `${checkpointText}\n— a\u00a0b ${base64}\n`],
    ['another line among the signatures', `${checkpointText}\n${logLine}hello\n`],
    ['base64 without padding', `${checkpointText}\n— ${name} ${base64.replace(/=+$/, '')}\n`],
    ['base64url', `${checkpointText}\n— ${name} ${base64.replaceAll('/', '_').replaceAll('+', '-')}\n`],
    ['base64 with stray bits', `${checkpointText}\n— ${name} ${base64.replace('Aw=', 'Ax=')}\n`],
    ['base64 with rubbish', `${checkpointText}\n— ${name} ${base64.slice(0, 8)}!${base64.slice(8)}\n`],
    ['a key id and no signature', `${checkpointText}\n— ${name} ${encodeBase64(new Uint8Array(4))}\n`],
    ['less than a key id', `${checkpointText}\n— ${name} ${encodeBase64(new Uint8Array(3))}\n`],
    ['a lone surrogate', logNote.replace('7', '7\ud800')],
    ['invalid UTF-8', raw([0xff, 0x0a, 0x0a])],
    ['a surrogate in UTF-8', raw([0xed, 0xa0, 0x80, 0x0a, 0x0a])],
  ]
  for (const [what, note] of refused) {
    assert.throws(() => parseNote(note), malformed, what)
    assert.throws(() => openNote(nodeCrypto, note, [logKey]), malformed, what)
  }
})

test('P14 a byte order mark is part of the text, not dropped', () => {
  const marked = concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), encodeUtf8(logNote))
  assert.equal(parseNote(marked).text, `\ufeff${checkpointText}`)
  assert.throws(() => openNote(nodeCrypto, marked, [logKey]), tlogError('bad_signature'))
})

test('P20 notes are bounded: 100 signatures, 1,000,000 bytes', () => {
  const other = { name: 'other.example', keyId: 1, signature: new Uint8Array(64) }
  const [line] = parseNote(logNote).signatures
  const many = (count: number): string =>
    formatNote({ text: checkpointText, signatures: new Array(count).fill(other).with(0, line) })
  assert.equal(openNote(nodeCrypto, many(100), [logKey]).unverified.length, 99)
  assert.throws(() => formatNote({ text: checkpointText, signatures: new Array(101).fill(other) }), malformed)
  assert.throws(() => parseNote(`${many(100)}${witnessLine}`), malformed)
  const filled = (bytes: number): string => `${'é'.repeat((bytes - logLine.length - 4) / 2)}\n\n${logLine}`
  const base = Buffer.byteLength(filled(logLine.length + 4))
  const longest = filled(1_000_000 - base + logLine.length + 4)
  assert.ok(Buffer.byteLength(longest) <= 1_000_000 && Buffer.byteLength(longest) > 999_990)
  assert.equal(parseNote(longest).signatures.length, 1)
  assert.throws(() => parseNote(`${'é'.repeat(5)}${longest}`), malformed)
  assert.throws(() => parseNote(encodeUtf8(`${'é'.repeat(5)}${longest}`)), malformed)
})

testWithBoth('signed-note a known key that does not verify rejects the whole note', crypto => {
  const forged = cosignedNote.replace('IDJKvgAAAABlU/EA', 'IDJKvgAAAABlU/EB')
  assert.throws(() => openNote(crypto, forged, [logKey, witnessKey]), tlogError('bad_signature'))
  // To whom the witness is unknown, its line is nothing but a line.
  const opened = openNote(crypto, forged, [logKey])
  assert.equal(opened.verified.length, 1)
  assert.equal(opened.unverified[0]?.name, witness.name)
  const truncated = `${checkpointText}\n${logLine}— ${witness.name} ${encodeBase64(Uint8Array.of(0x20, 0x32, 0x4a, 0xbe, 1))}\n`
  assert.throws(() => openNote(crypto, truncated, [logKey, witnessKey]), tlogError('malformed_cosignature'))
})

testWithBoth('signed-note a note that no known key has signed is refused', crypto => {
  const stranger = ed25519Signer('stranger.example', countingBytes(0x40)).verifierKey
  const namesake = ed25519Signer(log.origin, countingBytes(0x40)).verifierKey
  for (const keys of [[], [stranger], [namesake], [witnessKey]]) {
    assert.throws(() => openNote(crypto, logNote, keys), tlogError('unknown_key'))
  }
})

testWithBoth('P15 a forged line under a known name does not pass for a signature', crypto => {
  const forger = ed25519Signer(witness.name, countingBytes(0x50))
  const note = signNote(checkpointText, [logSigner, forger])
  const opened = openNote(crypto, note, [logKey, witnessKey])
  assert.deepEqual(
    opened.verified.map(({ name }) => name),
    [log.origin],
  )
  assert.deepEqual(
    opened.unverified.map(({ name }) => name),
    [witness.name],
  )
})

testWithBoth(
  'P15 a key counts once, however often its line is repeated, and every line must verify',
  crypto => {
    const repeated = `${logNote}${logLine}${logLine}`
    assert.equal(openNote(crypto, repeated, [logKey, { ...logKey }]).verified.length, 1)
    const spoiled = `${logNote}${logLine.replace('8djhUb1Q', '8djhUb1R')}`
    assert.throws(() => openNote(crypto, spoiled, [logKey]), tlogError('bad_signature'))
  },
)

testWithBoth('signed-note two keys under one name and id are refused, unless they are the same', crypto => {
  const impostor: VerifierKey = { ...logKey, publicKey: witnessKey.publicKey }
  assert.throws(() => openNote(crypto, logNote, [logKey, impostor]), tlogError('malformed_key'))
  assert.throws(() => openNote(crypto, logNote, [impostor, logKey]), tlogError('malformed_key'))
})

testWithBoth('signed-note a key that cannot be verified is refused, not skipped', crypto => {
  const mldsa: VerifierKey = { name: 'pq.example', keyId: 7, type: 0x06, publicKey: new Uint8Array(1312) }
  assert.throws(() => openNote(crypto, logNote, [logKey, mldsa]), tlogError('unsupported_key'))
})

testWithBoth('P27 names that mean something to JavaScript are ordinary names', crypto => {
  for (const name of ['__proto__', 'constructor', 'toString', '.*']) {
    const signer = ed25519Signer(name, countingBytes(0x60))
    const note = signNote('hello\n', [signer])
    assert.equal(openNote(crypto, note, [signer.verifierKey]).verified[0]?.name, name)
    assert.throws(() => openNote(crypto, note, [logKey]), tlogError('unknown_key'))
    assert.throws(() => openNote(crypto, logNote, [signer.verifierKey]), tlogError('unknown_key'))
  }
})

test('signed-note a signer may be an object with state of its own', () => {
  class Counting implements NoteSigner {
    readonly name = log.origin
    readonly keyId = log.keyId
    signatures = 0
    sign(text: Uint8Array): Uint8Array {
      this.signatures++
      return logSigner.sign(text)
    }
  }
  const signer = new Counting()
  assert.equal(signNote(checkpointText, [signer]), logNote)
  assert.equal(signer.signatures, 1)
})

test('signed-note what cannot be a note is not written', () => {
  for (const text of ['', 'no newline', 'a tab\t\n', 'zero\0\n', 'cr\r\n', 'lone \ud800\n']) {
    assert.throws(() => signNote(text, [logSigner]), malformed, JSON.stringify(text))
  }
  assert.throws(() => signNote('text\n', []), malformed)
  const signature = { name: log.origin, keyId: 1, signature: new Uint8Array(0) }
  assert.throws(() => formatNote({ text: 'text\n', signatures: [signature] }), malformed)
  const unnamed = { name: 'a b', keyId: 1, signature: new Uint8Array(64) }
  assert.throws(() => formatNote({ text: 'text\n', signatures: [unnamed] }), tlogError('malformed_key'))
})

test('signed-note every text and every set of signatures is read back', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 30 }).filter(text => !/[\x00-\x1f]/.test(text))
  const text = fc.array(line, { minLength: 1, maxLength: 6 }).map(lines => `${lines.join('\n')}\n`)
  const signature = fc.record(
    {
      name: fc
        .string({ unit: 'grapheme', minLength: 1 })
        .filter(name => !/[\p{White_Space}\x00-\x1f+]/u.test(name)),
      keyId: fc.integer({ min: 0, max: 0xffffffff }),
      signature: fc.uint8Array({ minLength: 1, maxLength: 100 }),
    },
    { noNullPrototype: true },
  )
  const note = fc.record(
    { text, signatures: fc.array(signature, { minLength: 1, maxLength: 5 }) },
    { noNullPrototype: true },
  )
  fc.assert(fc.property(note, note => assert.deepEqual(parseNote(formatNote(note)), note)))
})

test('P14 no changed, added or removed byte of a signed note is accepted', () => {
  const bytes = encodeUtf8(logNote)
  const change = fc.oneof(
    fc.record({
      at: fc.nat(bytes.length - 1),
      remove: fc.constant(1),
      insert: fc.uint8Array({ minLength: 1, maxLength: 1 }),
    }),
    fc.record({
      at: fc.nat(bytes.length),
      remove: fc.constant(0),
      insert: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      at: fc.nat(bytes.length - 1),
      remove: fc.integer({ min: 1, max: 5 }),
      insert: fc.constant(new Uint8Array(0)),
    }),
    fc.record({
      at: fc.nat(bytes.length - 1),
      remove: fc.constant(1),
      insert: fc.constantFrom(...'\n —+/=0123456789ABCabc').map(letter => encodeUtf8(letter)),
    }),
  )
  fc.assert(
    fc.property(change, ({ at, remove, insert }) => {
      const changed = concatBytes(bytes.subarray(0, at), insert, bytes.subarray(at + remove))
      fc.pre(Buffer.compare(changed, bytes) !== 0)
      assert.throws(
        () => openNote(nodeCrypto, changed, [logKey]),
        tlogError('malformed_note', 'bad_signature', 'unknown_key'),
        decodeUtf8(changed),
      )
    }),
    { numRuns: 3000 },
  )
})
