// What a verification found, as one closed set of words.
//
// Causes are told apart, because "tampered" and "not covered yet" call for opposite reactions, and a verifier
// that merges them is soon ignored. None of the words means "probably fine": a verifier that checked nothing
// has not succeeded (failure F16), and one that had only the key that came with the data says so.

/** What a verification found. */
export type Verdict =
  /** Everything asked for was checked against a key or checkpoint that the verifier brought along. */
  | 'ok'
  /** Consistent in itself, but the verifier key came from the same place as the data. */
  | 'ok_unpinned'
  /** Sound, but the witness signatures that the policy asks for are missing. */
  | 'ok_unwitnessed'
  /** Content was erased and a later erasure leaf says so. */
  | 'redacted_ok'
  /** Stored content or leaf is not what was committed to. */
  | 'content_mismatch'
  /** Content is gone and no erasure leaf names it. */
  | 'content_missing'
  /** A search column differs from the committed content it was derived from. */
  | 'index_mismatch'
  /** A leaf that the checkpoint covers is not there. */
  | 'missing_index'
  /** There are fewer leaves than a checkpoint that was kept. */
  | 'truncated'
  /** Two signed checkpoints that cannot belong to one history. */
  | 'fork'
  /**
   * A signature of a known key does not fit, or there is none, or it stands under something that no ledger of
   * this kind signs: a checkpoint with extension lines.
   */
  | 'bad_signature'
  /** Written by a later version of the format. */
  | 'unknown_version'
  /** The checkpoint does not reach as far as the leaf. */
  | 'not_covered'
  /** There was nothing to check. */
  | 'nothing_checked'

/** The exit code of `deedbox verify` for each verdict; 1 and 2 are left to failures of the command itself. */
export const exitCodes: Readonly<Record<Verdict, number>> = {
  ok: 0,
  ok_unpinned: 3,
  ok_unwitnessed: 4,
  redacted_ok: 5,
  content_mismatch: 10,
  content_missing: 11,
  index_mismatch: 12,
  missing_index: 13,
  truncated: 14,
  fork: 15,
  bad_signature: 16,
  unknown_version: 17,
  not_covered: 18,
  nothing_checked: 19,
}
