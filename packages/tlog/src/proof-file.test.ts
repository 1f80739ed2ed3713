import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCheckpoint } from './checkpoint.ts'
import { concatBytes, decodeBase64, encodeBase64, encodeUtf8 } from './encoding.ts'
import { leafHash } from './merkle.ts'
import { nodeCrypto } from './node-crypto.ts'
import { signNote } from './note.ts'
import { checkProofFile, formatProofFile, parseProofFile } from './proof-file.ts'
import { ed25519Signer } from './signing-key.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { eventData, eventLeafHashes, ReferenceTree } from './testing/reference-tree.ts'
import {
  checkpointText,
  cosignedNote,
  log,
  logNote,
  proofFileOf2In7,
  proofOf2In7,
} from './testing/vectors.ts'
import { parseVerifierKey } from './verifier-key.ts'

const logKey = parseVerifierKey(nodeCrypto.sha256, log.verifierKey)
const leafOf2 = leafHash(nodeCrypto.sha256, eventData(2))
const malformed = tlogError('malformed_proof')

testWithBoth('tlog-proof the worked example is read, checked and written', crypto => {
  const file = parseProofFile(proofFileOf2In7)
  assert.equal(file.index, 2)
  assert.deepEqual(file.proof.map(encodeBase64), proofOf2In7)
  assert.equal(file.checkpoint, cosignedNote)
  assert.equal('extra' in file, false)
  assert.deepEqual(parseProofFile(encodeUtf8(proofFileOf2In7)), file)
  assert.equal(formatProofFile(file), proofFileOf2In7)
  const checkpoint = checkProofFile(crypto, file, leafOf2, [logKey])
  assert.equal(checkpoint.origin, log.origin)
  assert.equal(checkpoint.size, 7)
})

testWithBoth('tlog-proof extra data is carried and vouched for by nobody', crypto => {
  const extra = encodeUtf8('{"leaf":"…"}')
  const file = { ...parseProofFile(proofFileOf2In7), extra }
  const text = formatProofFile(file)
  assert.equal(text.split('\n')[1], `extra ${encodeBase64(extra)}`)
  assert.deepEqual(parseProofFile(text), file)
  checkProofFile(crypto, { ...file, extra: encodeUtf8('anything else') }, leafOf2, [logKey])
  assert.equal(
    formatProofFile({ ...file, extra: new Uint8Array(0) }),
    proofFileOf2In7,
    'nothing is written for nothing',
  )
})

testWithBoth('P17 tlog-proof another leaf, index, proof or key is not accepted', crypto => {
  const file = parseProofFile(proofFileOf2In7)
  const invalid = tlogError('proof_invalid')
  const check =
    (changed: object, leaf: Uint8Array = leafOf2) =>
    () =>
      checkProofFile(crypto, { ...file, ...changed }, leaf, [logKey])
  assert.throws(check({}, leafHash(crypto.sha256, eventData(3))), invalid)
  assert.throws(check({}, leafOf2.subarray(0, 16)), tlogError('malformed_hash'))
  assert.throws(check({ index: 3 }), invalid)
  assert.throws(check({ index: 0 }), invalid)
  assert.throws(check({ index: 7 }), tlogError('size_out_of_range'))
  assert.throws(check({ proof: [] }), invalid)
  assert.throws(check({ proof: file.proof.toReversed() }), invalid)
  assert.throws(check({ checkpoint: cosignedNote.replace('\n7\n', '\n6\n') }), tlogError('bad_signature'))
  assert.throws(check({ checkpoint: checkpointText }), tlogError('malformed_note'))
  assert.throws(() => checkProofFile(crypto, file, leafOf2, []), tlogError('unknown_key'))
})

testWithBoth('P11 F17 tlog-proof the only leaf of a one-leaf log has an empty proof', crypto => {
  const signer = ed25519Signer(log.origin, log.seed)
  const leaf = leafHash(crypto.sha256, eventData(0))
  const checkpoint = signNote(formatCheckpoint({ origin: log.origin, size: 1, root: leaf }), [signer])
  const text = formatProofFile({ index: 0, proof: [], checkpoint })
  assert.equal(text, `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`)
  assert.equal(checkProofFile(crypto, parseProofFile(text), leaf, [logKey]).size, 1)
  const tooShort = { ...parseProofFile(proofFileOf2In7), index: 0, proof: [] }
  assert.throws(() => checkProofFile(crypto, tooShort, leaf, [logKey]), tlogError('proof_invalid'))
})

test('P14 files that are not exactly a proof file are refused', () => {
  const file = proofFileOf2In7
  const hash = proofOf2In7[0]!
  const refused: [string, string | Uint8Array][] = [
    ['empty', ''],
    ['no header', file.slice(file.indexOf('\n') + 1)],
    ['nothing but a header', 'c2sp.org/tlog-proof@v1\n\n'],
    ['another version', file.replace('@v1', '@v2')],
    ['a blank before the header', ` ${file}`],
    ['a byte order mark', `\ufeff${file}`],
    ['carriage returns', file.replaceAll('\n', '\r\n')],
    ['no index', file.replace('index 2\n', '')],
    ['two indices', file.replace('index 2\n', 'index 2\nindex 2\n')],
    ['index without a blank', file.replace('index 2', 'index2')],
    ['index with two blanks', file.replace('index 2', 'index  2')],
    ['index with a blank after it', file.replace('index 2', 'index 2 ')],
    ['index with a leading zero', file.replace('index 2', 'index 02')],
    ['negative index', file.replace('index 2', 'index -2')],
    ['hexadecimal index', file.replace('index 2', 'index 0x2')],
    ['index beyond 2^53 − 1', file.replace('index 2', 'index 9007199254740992')],
    ['extra after the index', file.replace('index 2\n', 'index 2\nextra AAAA\n')],
    ['extra twice', file.replace('index 2', 'extra AAAA\nextra AAAA\nindex 2')],
    ['empty extra', file.replace('index 2', 'extra \nindex 2')],
    ['extra without a blank', file.replace('index 2', 'extra\nindex 2')],
    ['extra that is no base64', file.replace('index 2', 'extra AAA\nindex 2')],
    ['extra with stray bits', file.replace('index 2', 'extra AAB=\nindex 2')],
    ['a short hash', file.replace(hash, encodeBase64(new Uint8Array(16)))],
    ['a long hash', file.replace(hash, encodeBase64(new Uint8Array(33)))],
    ['a hash that is no base64', file.replace(hash, hash.slice(1))],
    ['a hash with stray bits', file.replace(hash, hash.replace('J8=', 'J9='))],
    ['a blank after a hash', file.replace(hash, `${hash} `)],
    ['no empty line', file.replace('\n\n', '\n').replace(/\n\n.*/su, '\n')],
    ['64 hashes', file.replace(`${hash}\n`, `${hash}\n`.repeat(62))],
    ['invalid UTF-8', concatBytes(encodeUtf8(file), Uint8Array.of(0xff))],
  ]
  for (const [what, text] of refused) assert.throws(() => parseProofFile(text), malformed, what)
  assert.throws(() => formatProofFile({ index: -1, proof: [], checkpoint: logNote }), malformed)
  assert.throws(
    () => formatProofFile({ index: 0, proof: [new Uint8Array(31)], checkpoint: logNote }),
    malformed,
  )
})

test('P14 no changed letter of a proof file is accepted', () => {
  const file = proofFileOf2In7.replace(cosignedNote, logNote)
  const letters = fc.constantFrom(...'\n —+/=0123456789ABCabc.@v')
  fc.assert(
    fc.property(fc.nat(file.length - 1), letters, fc.boolean(), (at, letter, isInserted) => {
      const changed = file.slice(0, at) + letter + file.slice(isInserted ? at : at + 1)
      fc.pre(changed !== file)
      assert.throws(
        () => checkProofFile(nodeCrypto, parseProofFile(changed), leafOf2, [logKey]),
        tlogError(
          'malformed_proof',
          'malformed_note',
          'bad_signature',
          'unknown_key',
          'proof_invalid',
          'size_out_of_range',
        ),
      )
    }),
    { numRuns: 2000 },
  )
})

test('tlog-proof receipts of every leaf of a log of 300 hold', () => {
  const tree = new ReferenceTree(eventLeafHashes(300))
  const signer = ed25519Signer(log.origin, log.seed)
  const checkpoint = signNote(formatCheckpoint({ origin: log.origin, size: 300, root: tree.root(300) }), [
    signer,
  ])
  for (let index = 0; index < 300; index += 7) {
    const text = formatProofFile({ index, proof: tree.inclusionProof(index, 300), checkpoint })
    checkProofFile(nodeCrypto, parseProofFile(text), tree.leafHashes[index]!, [logKey])
  }
  assert.deepEqual(decodeBase64(encodeBase64(leafOf2)), tree.leafHashes[2])
})
