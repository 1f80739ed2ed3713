// What it takes to sign a note, whether as a log (note.ts) or as a witness (cosignature.ts). This package
// asks for signatures through it and keeps no private key; only the entry `node` imports one.

/** Who can sign a note: `ed25519Signer` and `ed25519Cosigner` of the entry `node` make them. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  /** The signature field for a note text (given as UTF-8), without the key id. */
  sign(text: Uint8Array): Uint8Array
}
