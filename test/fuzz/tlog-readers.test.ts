// Everything in @deedbox/tlog that reads what somebody else wrote: whatever comes, it ends, throws nothing but a
// TlogError of the codes that it documents, and accepts only texts that it would have written itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bytesEqual,
  checkProofFile,
  decodeBase64,
  decodeBase64Url,
  decodeEntryBundle,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeBase64Url,
  encodeEntryBundle,
  encodeHex,
  encodeUtf8,
  entriesPath,
  formatCosignature,
  formatEventLeaf,
  formatNote,
  formatProofFile,
  formatReceipt,
  formatVerifierKey,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseCosignature,
  parseDecimal,
  parseEventLeaf,
  parseNote,
  parseProofFile,
  parseReceipt,
  parseTilePath,
  parseVerifierKey,
  signatureTypes,
  TlogError,
  type TlogErrorCode,
  tilePath,
  verifyCosignature,
} from '@deedbox/tlog'
import { nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import fc from 'fast-check'
import { log, witness } from '../../packages/tlog/src/testing/vectors.ts'
import { fastCheckRuns, fuzz } from './fuzz.ts'
import { mutate, mutateText } from './mutator.ts'
import * as samples from './tlog-samples.ts'

/** Something that reads one text or byte string. */
interface Reader<Input extends string | Uint8Array> {
  name: string
  valid: readonly Input[]
  /** Reads it; if there is a writer, returns what that makes of the result. */
  read(input: Input): Input | undefined
  codes: readonly TlogErrorCode[]
}

const { sha256 } = nodeCrypto
const keys = [samples.logKey, samples.witnessKey]
const keyTexts = [log.verifierKey, witness.verifierKey]
const noteCodes: TlogErrorCode[] = ['malformed_note', 'bad_signature', 'unknown_key', 'malformed_cosignature']
const paths = [
  tilePath(0, 0),
  tilePath(7, 1_234_067, 9),
  tilePath(63, 5, 255),
  entriesPath(99_999, 1),
  entriesPath(7),
]
const cosignatures = samples.notes
  .flatMap(note => parseNote(note).signatures)
  .filter(({ keyId }) => keyId === witness.keyId)
  .map(({ signature }) => signature)

const textReaders: Reader<string>[] = [
  {
    name: 'parseNote',
    valid: samples.notes,
    read: text => formatNote(parseNote(text)),
    codes: ['malformed_note'],
  },
  {
    name: 'openNote',
    valid: samples.notes,
    read: text => void openNote(nodeCrypto, text, keys),
    codes: noteCodes,
  },
  {
    name: 'openCheckpoint',
    valid: samples.notes,
    read: text => void openCheckpoint(nodeCrypto, text, keys),
    codes: [...noteCodes, 'malformed_checkpoint'],
  },
  {
    name: 'parseCheckpoint',
    valid: [
      ...samples.notes.map(note => parseNote(note).text),
      `${parseNote(samples.notes[0]!).text}one more\n`,
    ],
    read(text) {
      const { origin, size, root, extensions } = parseCheckpoint(text)
      return [origin, size, encodeBase64(root), ...extensions, ''].join('\n')
    },
    codes: ['malformed_checkpoint'],
  },
  {
    name: 'parseProofFile',
    valid: [...samples.proofFiles, ...samples.receipts],
    read: text => formatProofFile(parseProofFile(text)),
    codes: ['malformed_proof'],
  },
  {
    name: 'checkProofFile',
    valid: [...samples.proofFiles, ...samples.receipts],
    read: text => void checkProofFile(nodeCrypto, parseProofFile(text), samples.sampleHash, keys),
    codes: [...noteCodes, 'malformed_checkpoint', 'malformed_proof', 'proof_invalid', 'size_out_of_range'],
  },
  {
    name: 'parseReceipt',
    valid: samples.receipts,
    read: text => formatReceipt(parseReceipt(text)),
    codes: ['malformed_proof', 'unknown_version'],
  },
  {
    name: 'parseTilePath',
    valid: paths,
    read(path) {
      const tile = parseTilePath(path)
      return tile.kind === 'entries'
        ? entriesPath(tile.n, tile.width)
        : tilePath(tile.level, tile.n, tile.width)
    },
    codes: ['malformed_tile_path'],
  },
  {
    name: 'parseVerifierKey',
    valid: keyTexts,
    read: text => formatVerifierKey(parseVerifierKey(sha256, text)),
    codes: ['malformed_key', 'unsupported_key'],
  },
  {
    name: 'parseSigningKey',
    valid: [log.signingKey],
    read(text) {
      const { name, seed } = parseSigningKey(text)
      // No other text is read as a key of this seed and name.
      if (name === log.origin && bytesEqual(seed, log.seed)) return log.signingKey
    },
    codes: ['malformed_key', 'unsupported_key'],
  },
  decoder('decodeBase64', decodeBase64, encodeBase64),
  decoder('decodeBase64Url', decodeBase64Url, encodeBase64Url),
  decoder('decodeHex', decodeHex, encodeHex),
  {
    name: 'parseDecimal',
    valid: ['0', '7', '256', '9007199254740991'],
    read: text => parseDecimal(text)?.toString(),
    codes: [],
  },
]

/** A decoder that answers `undefined` and never throws. */
function decoder(
  name: string,
  decode: (text: string) => Uint8Array | undefined,
  encode: (bytes: Uint8Array) => string,
): Reader<string> {
  const read = (text: string) => {
    const bytes = decode(text)
    return bytes === undefined ? undefined : encode(bytes)
  }
  return { name, valid: ['', ...samples.bundles.map(encode)], read, codes: [] }
}

const byteReaders: Reader<Uint8Array>[] = [
  {
    name: 'parseEventLeaf',
    valid: samples.leaves.map(encodeUtf8),
    read: bytes => encodeUtf8(formatEventLeaf(parseEventLeaf(bytes))),
    codes: ['malformed_leaf', 'unknown_version'],
  },
  {
    name: 'decodeEntryBundle',
    valid: samples.bundles,
    read: bytes => encodeEntryBundle(decodeEntryBundle(bytes)),
    codes: ['malformed_bundle'],
  },
  {
    name: 'parseCosignature',
    valid: cosignatures,
    read: field => formatCosignature(parseCosignature(signatureTypes.ed25519Cosignature, field)),
    codes: ['malformed_cosignature'],
  },
  {
    name: 'verifyCosignature',
    valid: cosignatures,
    read: field => {
      const text = encodeUtf8(parseNote(samples.notes[1]!).text)
      verifyCosignature(nodeCrypto, samples.witnessKey.publicKey, text, field)
      return cosignatures[0]!
    },
    codes: ['malformed_cosignature', 'bad_signature'],
  },
  {
    name: 'decodeUtf8',
    valid: samples.leaves.map(encodeUtf8),
    read(bytes) {
      const text = decodeUtf8(bytes)
      return text === undefined ? undefined : encodeUtf8(text)
    },
    codes: [],
  },
]

/** One input, one reader. What a reader accepted must be the one spelling of what it understood. */
function tryOn<Input extends string | Uint8Array>({ name, read, codes }: Reader<Input>, input: Input): void {
  let written: Input | undefined
  try {
    written = read(input)
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    assert.ok(codes.includes(error.code), `${name} throws ${error.code}: ${error.message}`)
    assert.ok(error.message.length < 1_000, `${name} says too much: ${error.message.length} characters`)
    return
  }
  if (written !== undefined) assert.deepEqual(written, input, `${name} took a second spelling`)
}

for (const reader of textReaders) {
  test(`P14 P27 ${reader.name}: no mutated text makes it hang, break, or take a second spelling`, () => {
    for (const text of reader.valid) tryOn(reader, text)
    fuzz(reader.name, 2_000, (random, note) => {
      const text = mutateText(random, random.pick(reader.valid), reader.valid)
      note(text)
      tryOn(reader, text)
    })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => tryOn(reader, text)),
      fastCheckRuns(150),
    )
  })
}

for (const reader of byteReaders) {
  test(`P14 P27 ${reader.name}: no mutated bytes make it hang, break, or take a second spelling`, () => {
    for (const bytes of reader.valid) tryOn(reader, bytes)
    fuzz(reader.name, 2_000, (random, note) => {
      const bytes = mutate(random, random.pick(reader.valid), reader.valid)
      note(bytes)
      tryOn(reader, bytes)
    })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => tryOn(reader, bytes)),
      fastCheckRuns(150),
    )
  })
}
