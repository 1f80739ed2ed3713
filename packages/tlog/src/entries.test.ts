import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import * as browser from './browser.ts'
import * as main from './index.ts'
import * as node from './node.ts'

test('the node and browser entries offer everything of the main entry, and their own primitives', () => {
  const own = (entry: object): string[] =>
    Object.keys(entry)
      .filter(name => !(name in main))
      .sort()
  for (const [name, value] of Object.entries(main)) {
    assert.equal((node as Record<string, unknown>)[name], value, `node: ${name}`)
    assert.equal((browser as Record<string, unknown>)[name], value, `browser: ${name}`)
  }
  assert.deepEqual(own(browser), ['browserCrypto'])
  assert.deepEqual(own(node), [
    'ed25519Cosigner',
    'ed25519Signer',
    'generateSigningKey',
    'nodeCrypto',
    'parseSigningKey',
  ])
})

test('the main and browser entries load neither node modules nor WebCrypto', () => {
  const entry = new URL('browser.ts', import.meta.url).href
  const script = `
    import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      if (specifier.startsWith('node:')) throw new Error('loaded ' + specifier)
      return next(specifier, context)
    } })
    delete globalThis.crypto
    delete globalThis.Buffer
    const { browserCrypto, parseVerifierKey } = await import(${JSON.stringify(entry)})
    const key = 'ledger.example/acme+f1d8e151+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
    console.log(parseVerifierKey(browserCrypto.sha256, key).name)
  `
  const output = execFileSync(process.execPath, [
    '--conditions=@deedbox/source',
    '--input-type=module',
    '-e',
    script,
  ])
  assert.equal(String(output).trim(), 'ledger.example/acme')
})
