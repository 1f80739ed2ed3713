export {
  createSigningKeys,
  loadSigningKeys,
  type SigningKeySource,
  type SigningKeys,
} from './signing-keys.ts'
