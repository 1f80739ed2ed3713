export {
  createSigningKeys,
  hasUsedKey,
  loadSigningKeys,
  markKeyUsed,
  type SigningKeySource,
  type SigningKeys,
} from './signing-keys.ts'
