// Every rule holds for both implementations of the primitives, and they must agree.

import { type TestContext, test } from 'node:test'
import { browserCrypto } from '../browser-crypto.ts'
import type { TlogCrypto } from '../crypto.ts'
import { TlogError, type TlogErrorCode } from '../errors.ts'
import { nodeCrypto } from '../node-crypto.ts'

export const cryptos: readonly { readonly name: string; readonly crypto: TlogCrypto }[] = [
  { name: 'node', crypto: nodeCrypto },
  { name: 'browser', crypto: browserCrypto },
]

/** One test for each implementation. */
export function testWithBoth(title: string, run: (crypto: TlogCrypto, t: TestContext) => void): void {
  for (const { name, crypto } of cryptos) test(`${title} (${name})`, t => run(crypto, t))
}

/** A matcher for `assert.throws`: a TlogError with one of these codes. */
export function tlogError(...codes: TlogErrorCode[]): (error: unknown) => boolean {
  return error => error instanceof TlogError && codes.includes(error.code)
}
