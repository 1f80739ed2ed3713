export { allScopes, firstScopes, keyRecord, newApiKey, type Scope } from './api-keys.ts'
export { Authenticator, type Caller } from './authenticate.ts'
export { KeyAdministration, type KeyOptions, type RotationOptions } from './key-administration.ts'
export {
  checkExpiry,
  checkKeyName,
  checkOverlap,
  checkPrincipal,
  checkScopes,
  latestTime,
  longestOverlap,
} from './key-settings.ts'
export type { ApiKeyView, KeyState } from './key-view.ts'
