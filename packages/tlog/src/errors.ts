// Everything that can be wrong with a note, a tree, a tile or a proof, as one small closed set.
//
// The set is shaped by what a caller does next. `malformed_*` means that the bytes are not what they claim to
// be; nothing was verified and nothing may be concluded. `proof_invalid` and `bad_signature` mean that they
// are well formed and false: evidence of tampering, or of the wrong key or root. `unknown_key` means that
// nobody we trust has spoken. `missing_tile` is a matter of storage, not of truth. A verifier that merges
// these reports a full disk as an attack, or an attack as a typing mistake.

/** Why a `TlogError` was thrown. */
export type TlogErrorCode =
  /** A value without an exact text form: a lone surrogate has no UTF-8, NaN and cycles have no JSON. */
  | 'malformed_text'
  /** A hash that is not exactly 32 bytes. Truncated hashes are never accepted. */
  | 'malformed_hash'
  /** A Merkle proof or proof file that does not have the form of one. */
  | 'malformed_proof'
  /** A signed note that breaks the C2SP signed-note grammar. */
  | 'malformed_note'
  /** A verifier or signing key text that is damaged, or two different keys under one name and id. */
  | 'malformed_key'
  /** A well-formed key of a signature type that this package cannot verify. */
  | 'unsupported_key'
  /** A note text that is not a C2SP checkpoint. */
  | 'malformed_checkpoint'
  /** A signature field that is not a timestamped cosignature. */
  | 'malformed_cosignature'
  /** A path, or tile coordinates, that name no C2SP tlog-tiles resource. */
  | 'malformed_tile_path'
  /** An entry bundle that is cut short, or entries that do not fit into one. */
  | 'malformed_bundle'
  /** Bytes that are not an event leaf in its one canonical form. */
  | 'malformed_leaf'
  /** Something written by a later version of its format. */
  | 'unknown_version'
  /** A tile that is absent or shorter than the tree's size demands. */
  | 'missing_tile'
  /** A size, or a position in a tree of that size, outside 0 … 2^53 − 1 or outside the tree. */
  | 'size_out_of_range'
  /** A well-formed proof that does not prove what it claims. */
  | 'proof_invalid'
  /** A signature line of a known key that does not verify. */
  | 'bad_signature'
  /** No signature by any of the keys that count. */
  | 'unknown_key'

/** The one error class of this package. Its message is a sentence that says what was wrong, and where. */
export class TlogError extends Error {
  override readonly name: string = 'TlogError'
  readonly code: TlogErrorCode

  constructor(code: TlogErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** How a message shows a text that came from outside: quoted, with escapes, and never long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
