import { openNote, signatureTypes, TlogError, type VerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'

/** Whether a key is a witness's: one of timestamped Ed25519 cosignatures (C2SP tlog-cosignature). */
export function isWitnessKey(key: VerifierKey): boolean {
  return key.type === signatureTypes.ed25519Cosignature
}

/**
 * The witnesses whose valid cosignature is missing, on that note where the fewest are. A cosignature that does not
 * verify is missing: anybody may have put it there, and it says nothing about the log.
 */
export function missingWitnesses(
  notes: readonly string[],
  witnesses: readonly VerifierKey[],
): readonly VerifierKey[] {
  let fewest = witnesses
  for (const note of notes) {
    const missing = witnesses.filter(witness => !hasSigned(note, witness))
    if (missing.length < fewest.length) fewest = missing
  }
  return fewest
}

function hasSigned(note: string, witness: VerifierKey): boolean {
  try {
    return openNote(nodeCrypto, note, [witness]).verified.length > 0
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    return false
  }
}
