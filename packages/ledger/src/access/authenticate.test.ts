import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKeyRow } from '../store/index.ts'
import { apiKeyRow, newApiKey } from './api-keys.ts'
import { trustFor } from './authenticate.ts'
import { Authenticator } from './index.ts'

function withKey(change: Partial<ApiKeyRow> = {}): {
  key: string
  row: ApiKeyRow
  authenticator: Authenticator
  lookUps: () => number
} {
  const key = newApiKey()
  const row = { ...apiKeyRow(key, 1, 'test', ['write', 'read']), ...change }
  let lookUps = 0
  const authenticator = new Authenticator(hash => {
    lookUps++
    return Buffer.compare(hash, row.hash) === 0 ? { ...row } : null
  }, 1)
  return { key, row, authenticator, lookUps: () => lookUps }
}

test('IF-28 a bearer key is recognised and tells who writes; the scheme may be written in any case', () => {
  const { key, row, authenticator } = withKey()
  assert.equal(authenticator.authenticate(`Bearer ${key}`, 'write').principal, row.principal)
  assert.equal(authenticator.authenticate(`bearer  ${key}`, 'read').principal, row.principal)
  assert.throws(() => authenticator.authenticate(`Bearer ${key}`, 'erase'), { code: 'insufficient_scope' })
})

test('no key, another scheme, another key, an expired and a revoked key are refused', () => {
  const { key, authenticator } = withKey()
  assert.throws(() => authenticator.authenticate(undefined, 'write'), { code: 'missing_api_key' })
  for (const header of ['', 'Bearer', `Basic ${key}`, `Bearer ${newApiKey()}`, `Bearer ${key} x`, key]) {
    assert.throws(() => authenticator.authenticate(header, 'write'), { code: 'invalid_api_key' }, header)
  }
  for (const change of [{ expiresAt: Date.now() - 1 }, { revokedAt: Date.now() }]) {
    const refused = withKey(change)
    assert.throws(() => refused.authenticator.authenticate(`Bearer ${refused.key}`, 'write'), {
      code: 'invalid_api_key',
    })
  }
  const fresh = withKey({ expiresAt: Date.now() + 60_000 })
  assert.doesNotThrow(() => fresh.authenticator.authenticate(`Bearer ${fresh.key}`, 'write'))
})

test('DESIGN §7.7 a look-up serves the requests of half a second, then a revocation is seen', t => {
  assert(trustFor < 1_000, 'a revocation takes effect within a second')
  t.mock.method(performance, 'now', () => clock)
  let clock = 1_000
  const { key, row, authenticator, lookUps } = withKey()
  for (let i = 0; i < 100; i++) authenticator.authenticate(`Bearer ${key}`, 'write')
  assert.equal(lookUps(), 1)
  row.revokedAt = Date.now()
  clock += trustFor - 1
  authenticator.authenticate(`Bearer ${key}`, 'write')
  clock += 1
  assert.throws(() => authenticator.authenticate(`Bearer ${key}`, 'write'), { code: 'invalid_api_key' })
})

test('IF-03 keys have 256 random bits, and what is stored of one is not the key', () => {
  const { key, row } = withKey()
  assert.match(key, /^deed_live_[\w-]{43}$/)
  assert(!JSON.stringify(row).includes(key))
  assert.throws(() => apiKeyRow('short', 1, 'test', []), { code: 'invalid_option' })
  assert.throws(() => apiKeyRow(`${'x'.repeat(40)} ${'y'.repeat(10)}`, 1, 'test', []), {
    code: 'invalid_option',
  })
})
