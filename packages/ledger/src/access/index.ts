export { apiKeyRow, firstScopes, newApiKey, type Scope } from './api-keys.ts'
export { Authenticator, type Caller } from './authenticate.ts'
