export { canonicalJson } from './canonical-json.ts'
export {
  type Checkpoint,
  formatCheckpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  type ParsedCheckpoint,
  parseCheckpoint,
} from './checkpoint.ts'
export { commitmentInput, type Part, parts, saltLength } from './commitment.ts'
export {
  type Cosignature,
  type CosignatureType,
  cosignedMessage,
  cosigner,
  formatCosignature,
  parseCosignature,
  verifyCosignature,
} from './cosignature.ts'
export type { Sha256, TlogCrypto } from './crypto.ts'
export { type EdgeState, edgeOfState, edgeState } from './edge-state.ts'
export {
  bytesEqual,
  concatBytes,
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  parseDecimal,
} from './encoding.ts'
export { decodeEntryBundle, encodeEntryBundle, maxEntryLength } from './entry-bundle.ts'
export { type ErasedParts, readErasure } from './erasure.ts'
export { TlogError, type TlogErrorCode } from './errors.ts'
export { type EventLeaf, formatEventLeaf, type LeafKind, parseEventLeaf } from './event-leaf.ts'
export { type Finding, Findings } from './findings.ts'
export {
  type ConsistencyClaim,
  checkConsistency,
  checkInclusion,
  emptyRoot,
  hashSize,
  type InclusionClaim,
  leafHash,
  nodeHash,
  proveConsistency,
  proveInclusion,
  type SubtreeReader,
  treeRoot,
} from './merkle.ts'
export {
  formatNote,
  maxNoteLength,
  maxNoteSignatures,
  type NoteSignature,
  type OpenedNote,
  openNote,
  parseNote,
  type SignedNote,
  signNote,
  type VerifiedSignature,
} from './note.ts'
export type { NoteSigner } from './note-signer.ts'
export { checkProofFile, formatProofFile, type ProofFile, parseProofFile } from './proof-file.ts'
export {
  checkReceipt,
  type Disclosure,
  formatReceipt,
  matchesCommitment,
  parseReceipt,
  type Receipt,
  type ReceiptReport,
} from './receipt.ts'
export { type ChangedTile, RightEdge } from './right-edge.ts'
export {
  type Tile,
  type TileReader,
  tileSubtreeReader,
  tilesForSize,
  tilesForSubtrees,
  tileWidth,
} from './tile.ts'
export { entriesPath, fullTileWidth, parseTilePath, type TilePath, tilePath } from './tile-path.ts'
export { consistencySubtrees, inclusionSubtrees, type Subtree } from './tree-shape.ts'
export { exitCodes, type Verdict } from './verdict.ts'
export {
  formatKeyId,
  formatVerifierKey,
  isKeyName,
  keyId,
  parseVerifierKey,
  type SignatureType,
  signatureTypes,
  type VerifierKey,
} from './verifier-key.ts'
