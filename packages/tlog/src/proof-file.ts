// Proof files: that something was logged, as one text that needs nothing else (C2SP tlog-proof,
// `.tlog-proof`).
//
//     c2sp.org/tlog-proof@v1
//     extra eyJ2IjoxfQ==                               optional: anything the application wants beside it
//     index 2                                          which leaf
//     Xz5pjPk3YirKfGvyc+8hdgkuwzwWLcyuOd+HAWJdGJ8=     its inclusion proof, sibling first
//     P9HVoFmrFxo0X5kSyDwt2LeTO06VDmdJvIPbsfQ8y94=
//     CdE923ZptzRMGk5/zSfZNnUk1MxvmDHjZ9hsED0563g=
//                                                      an empty line
//     ledger.example/acme                              and the signed checkpoint, verbatim
//     7
//     …
//
// The chain of reasons runs backwards: a known key signed the checkpoint; its root and size say which trees
// are meant; the proof says that the leaf hash is at that index; and the leaf hash is what the reader
// computes from the leaf. The leaf is not in the file, unless the application puts it into `extra`. Nothing
// vouches for `extra`: a reader who takes the leaf from there has learned something only once its hash is the
// proven one.

import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts'
import type { TlogCrypto } from './crypto.ts'
import { decodeBase64, decodeUtf8, encodeBase64, parseDecimal } from './encoding.ts'
import { TlogError } from './errors.ts'
import { checkInclusion, hashSize } from './merkle.ts'
import type { VerifierKey } from './verifier-key.ts'

/** A proof file taken apart; nothing about it has been verified. */
export interface ProofFile {
  /** Unauthenticated bytes of the application's own; absent instead of empty. */
  readonly extra?: Uint8Array
  readonly index: number
  /** 32 bytes each, the leaf's sibling first. */
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
}

const header = 'c2sp.org/tlog-proof@v1'

// A path in a tree of 2^53 − 1 leaves has 53 nodes. The witness protocol draws the line at 63.
const maxProofLength = 63

/**
 * The text of a proof file. An empty `extra` is left out.
 * @throws TlogError `malformed_proof` for an index or hash that cannot be one
 */
export function formatProofFile({ extra, index, proof, checkpoint }: ProofFile): string {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new TlogError(
      'malformed_proof',
      `The index of a proof is a whole number from 0 to 2^53 − 1, not ${index}.`,
    )
  }
  for (const [i, hash] of proof.entries()) {
    if (hash.length !== hashSize) {
      throw new TlogError(
        'malformed_proof',
        `Hash ${i} of the proof has ${hash.length} bytes, not ${hashSize}.`,
      )
    }
  }
  const lines = [header]
  if (extra !== undefined && extra.length > 0) lines.push(`extra ${encodeBase64(extra)}`)
  lines.push(`index ${index}`, ...proof.map(encodeBase64), '')
  return `${lines.join('\n')}\n${checkpoint}`
}

/**
 * Takes a proof file apart, strictly: what {@link formatProofFile} makes of the result is the same text
 * again. The checkpoint is handed on as it stands; {@link checkProofFile} reads it.
 * @param file the whole file; bytes must be UTF-8
 * @throws TlogError `malformed_proof`
 */
export function parseProofFile(file: string | Uint8Array): ProofFile {
  const text = typeof file === 'string' ? file : decodeUtf8(file)
  if (text === undefined) throw new TlogError('malformed_proof', 'The proof file is not valid UTF-8.')
  const end = text.indexOf('\n\n')
  if (end < 0) {
    throw new TlogError(
      'malformed_proof',
      'The proof file has no empty line between its proof and its checkpoint.',
    )
  }
  const lines = text.slice(0, end).split('\n')
  if (lines.shift() !== header) {
    throw new TlogError('malformed_proof', `The proof file does not begin with the line "${header}".`)
  }
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift()!) : undefined
  const index = parseIndex(lines.shift() ?? '')
  if (lines.length > maxProofLength) {
    throw new TlogError(
      'malformed_proof',
      `The proof has ${lines.length} hashes; no tree needs more than 63.`,
    )
  }
  const proof = lines.map(parseProofLine)
  const checkpoint = text.slice(end + 2)
  return extra === undefined ? { index, proof, checkpoint } : { extra, index, proof, checkpoint }
}

/**
 * Checks that the leaf with this hash is at the file's index in the log that one of `keys` signs for, and
 * returns the checkpoint that says so. What the file says in `extra` is not looked at. Compare the origin of
 * the result with the log that you meant if `keys` holds keys of several.
 * @throws TlogError `proof_invalid`; `size_out_of_range` when the checkpoint does not reach as far as the
 * index; `malformed_hash`, `malformed_proof`; and everything that `openCheckpoint` throws
 */
export function checkProofFile(
  crypto: TlogCrypto,
  file: ProofFile,
  leafHash: Uint8Array,
  keys: readonly VerifierKey[],
): OpenedCheckpoint {
  const checkpoint = openCheckpoint(crypto, file.checkpoint, keys)
  const { size, root } = checkpoint
  checkInclusion(crypto.sha256, { index: file.index, size, leafHash, proof: file.proof, root })
  return checkpoint
}

function parseExtra(line: string): Uint8Array {
  const extra = decodeBase64(line.slice('extra '.length))
  if (extra === undefined || extra.length === 0) {
    throw new TlogError(
      'malformed_proof',
      'The "extra" line of the proof file is not canonical base64 of at least a byte.',
    )
  }
  return extra
}

function parseIndex(line: string): number {
  const index = line.startsWith('index ') ? parseDecimal(line.slice('index '.length)) : undefined
  if (index === undefined) {
    throw new TlogError(
      'malformed_proof',
      'The proof file has no line "index N", with N from 0 to 2^53 − 1 in plain decimal.',
    )
  }
  return index
}

function parseProofLine(line: string, i: number): Uint8Array {
  const hash = decodeBase64(line)
  if (hash?.length !== hashSize) {
    throw new TlogError(
      'malformed_proof',
      `Hash ${i} of the proof is not ${hashSize} bytes in canonical base64.`,
    )
  }
  return hash
}
