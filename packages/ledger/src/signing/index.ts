export {
  createSigningKeys,
  hasUsedKey,
  loadSigningKeys,
  markKeyUsed,
  namesInKeyText,
  type SigningKeySource,
  type SigningKeys,
} from './signing-keys.ts'
