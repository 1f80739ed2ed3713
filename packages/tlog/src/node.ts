// Everything of the main entry, and what only Node can give: fast primitives, and signing.

export * from './index.ts'
export { nodeCrypto } from './node-crypto.ts'
export {
  type Ed25519Signer,
  ed25519Cosigner,
  ed25519Signer,
  generateSigningKey,
  parseSigningKey,
  type SigningKey,
} from './signing-key.ts'
