import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { newApiKey } from '../access/index.ts'
import { tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder } from '../testing/temp-ledger.ts'

const lives = { revoked: 4, rotated: 5, ending: 3 }

/**
 * A closed ledger of six leaves: 0–3 create the keys `revoked`, `rotated`, `other` and `ending` (which expires), 4
 * revokes the first and 5 rotates the second.
 */
async function ledgerWithKeys(t: TestContext): Promise<{ folder: string; keys: string[] }> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const ids: Record<string, string> = {}
  for (const name of ['revoked', 'rotated', 'other']) {
    ids[name] = (await ledger.createApiKey(newApiKey(), name, ['write'])).keyId
  }
  await ledger.createApiKey(newApiKey(), 'ending', ['read'], { expiresAt: Date.now() + 60_000 })
  await ledger.revokeApiKey(ids.revoked!)
  await ledger.rotateApiKey(ids.rotated!, { overlap: 0 })
  await ledger.close()
  assert.equal(checkLog(folder, ledger.about.verifierKeys).verdict, 'ok')
  return { folder, keys: ledger.about.verifierKeys }
}

const attacks: { title: string; set: string; key: string; column: string; index: number }[] = [
  {
    title: 'a revocation undone',
    set: 'revoked_at = NULL',
    key: 'revoked',
    column: 'revoked_at',
    index: lives.revoked,
  },
  {
    title: 'a revocation dated otherwise',
    set: 'revoked_at = revoked_at + 1',
    key: 'revoked',
    column: 'revoked_at',
    index: lives.revoked,
  },
  {
    title: 'a revocation that no leaf records',
    set: 'revoked_at = 1',
    key: 'other',
    column: 'revoked_at',
    index: 2,
  },
  {
    title: 'an expiry taken away',
    set: 'expires_at = NULL',
    key: 'ending',
    column: 'expires_at',
    index: lives.ending,
  },
  {
    title: 'an expiry put off',
    set: 'expires_at = expires_at + 1',
    key: 'ending',
    column: 'expires_at',
    index: lives.ending,
  },
  {
    title: 'the overlap of a rotation made endless',
    set: 'expires_at = NULL',
    key: 'rotated',
    column: 'expires_at',
    index: lives.rotated,
  },
  {
    title: 'a rotation denied',
    set: 'replaced_by = NULL',
    key: 'rotated',
    column: 'replaced_by',
    index: lives.rotated,
  },
  { title: 'a scope raised', set: "scopes = 'write read'", key: 'other', column: 'scopes', index: 2 },
  { title: 'another writer', set: "principal = 'writer_x'", key: 'other', column: 'principal', index: 2 },
  {
    title: 'a time beyond what a number holds',
    set: 'expires_at = 1 << 60',
    key: 'other',
    column: 'expires_at',
    index: 2,
  },
]

for (const { title, set, key, column, index } of attacks) {
  test(`F14 API keys: ${title}: index_mismatch`, async t => {
    const { folder, keys } = await ledgerWithKeys(t)
    // Of the two keys of a rotation the old one.
    tamper(
      folder,
      `UPDATE api_keys SET ${set} WHERE name = '${key}' AND (name <> 'rotated' OR replaced_by IS NOT NULL)`,
    )
    const { verdict, findings } = checkLog(folder, keys)
    assert.equal(verdict, 'index_mismatch')
    assert.equal(findings.length, 1, JSON.stringify(findings))
    assert.match(findings[0]?.detail ?? '', new RegExp(`^Table api_keys, key key_\\S+, column ${column}: `))
    assert.equal(findings[0]?.index, index)
  })
}

test('F14 API keys: a rotated key whose successor was removed, or given a secret of his: index_mismatch', async t => {
  const { folder, keys } = await ledgerWithKeys(t)
  const successor = "name = 'rotated' AND replaced_by IS NULL"
  tamper(folder, `UPDATE api_keys SET hash = zeroblob(32) WHERE ${successor}`)
  const replaced = checkLog(folder, keys)
  assert.equal(replaced.verdict, 'index_mismatch')
  assert.match(JSON.stringify(replaced.findings), /no leaf records its creation/)
  tamper(folder, `DELETE FROM api_keys WHERE ${successor}`)
  const { findings } = checkLog(folder, keys)
  assert.match(findings[0]?.detail ?? '', /Table api_keys has no row of the key key_/)
  assert.equal(findings[0]?.index, lives.rotated)
})

test('the last use of a key is not attested: changing it is no finding', async t => {
  const { folder, keys } = await ledgerWithKeys(t)
  tamper(folder, 'UPDATE api_keys SET last_used_at = 1')
  assert.equal(checkLog(folder, keys).verdict, 'ok')
})
