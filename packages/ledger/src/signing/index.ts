export {
  createSigningKeys,
  hasUsedKey,
  keyFileAtHand,
  loadSigningKeys,
  markKeyUsed,
  namesInKeyText,
  type SigningKeySource,
  type SigningKeys,
} from './signing-keys.ts'
