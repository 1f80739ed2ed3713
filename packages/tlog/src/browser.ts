// Everything of the main entry, and primitives that run in any page. For verifiers: nothing here signs.

export { browserCrypto } from './browser-crypto.ts'
export * from './index.ts'
