import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { Ledger } from '../ledger.ts'
import { tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { firstScopes, newApiKey } from './index.ts'

const bearer = (key: string) => `Bearer ${key}`
const lastAdminEvent = (ledger: Ledger) => {
  const [event] = ledger.search({ kind: 'admin', limit: 1 }).events
  return { name: event?.meta.event_name, said: JSON.parse(event?.payload ?? '') as Record<string, unknown> }
}

test('DESIGN §7.7 a key is created, listed and revoked; each change is a leaf that says by whom', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = newApiKey()
  const expiresAt = Date.now() + 90_000
  const { keyId, principal } = await ledger.createApiKey(key, 'ci', ['write'], {
    expiresAt,
    by: 'writer_admin',
  })
  const created = lastAdminEvent(ledger)
  assert.equal(created.name, 'deedbox.key.created')
  const { hash, ...said } = created.said
  assert.deepEqual(said, {
    key_id: keyId,
    principal,
    name: 'ci',
    scopes: ['write'],
    expires_at: expiresAt,
    by: 'writer_admin',
  })
  assert.match(String(hash), /^[0-9a-f]{64}$/)
  const [view] = ledger.apiKeys()
  assert.deepEqual(
    [view?.key_id, view?.state, view?.expires_at, view?.revoked_at, view?.last_used_at],
    [keyId, 'active', new Date(expiresAt).toISOString(), null, null],
  )
  assert(!JSON.stringify([view, created]).includes(key))
  assert(!JSON.stringify(view).includes(String(hash)), 'the list shows no hash')

  await ledger.revokeApiKey(keyId)
  const revoked = lastAdminEvent(ledger)
  assert.equal(revoked.name, 'deedbox.key.revoked')
  assert.deepEqual(Object.keys(revoked.said), ['key_id', 'revoked_at', 'by'])
  assert.deepEqual([revoked.said.key_id, revoked.said.by], [keyId, 'local'])
  assert.equal(ledger.apiKeys()[0]?.state, 'revoked')
  assert.throws(() => ledger.authenticator.authenticate(bearer(key), 'write'), { code: 'invalid_api_key' })
  await ledger.close()
  const report = checkLog(folder, ledger.about.verifierKeys)
  assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
})

test('DESIGN §7.7 the writer survives rotation: an event sent again with the new key is a duplicate', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = newApiKey()
  const { keyId } = await ledger.createApiKey(key, 'shop', firstScopes)
  const as = (text: string) => ledger.authenticator.authenticate(bearer(text), 'write').principal
  const event = testEvent(1, { idempotencyKey: 'order-1' })
  const first = await ledger.append(event, as(key))
  const next = await ledger.rotateApiKey(keyId)
  const again = await ledger.append(event, as(next.key))
  assert.deepEqual([again.duplicate, again.txId], [true, first.txId])
  assert.equal(as(key), as(next.key), 'during the overlap both work')
  const [old, made] = ledger.apiKeys().sort((a, b) => Number(b.key_id === keyId) - Number(a.key_id === keyId))
  assert.deepEqual([old?.state, old?.replaced_by, made?.state], ['replaced', next.keyId, 'active'])
  assert.deepEqual([made?.name, made?.scopes, made?.principal], [old?.name, old?.scopes, old?.principal])
  const day = 24 * 60 * 60 * 1_000
  const end = Date.parse(old?.expires_at ?? '')
  assert(end > Date.now() && end <= Date.now() + day)
  await ledger.close()
  assert.equal(checkLog(folder, ledger.about.verifierKeys).verdict, 'ok')
})

test('a rotation gives the old key no more time, and the new one as long a life as the old one had', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  const minute = 60_000
  const ending = await ledger.createApiKey(newApiKey(), 'ending', ['read'], {
    expiresAt: Date.now() + minute,
  })
  const [before] = ledger.apiKeys()
  const made = await ledger.rotateApiKey(ending.keyId, { overlap: 60 * minute })
  const views = new Map(ledger.apiKeys().map(view => [view.key_id, view]))
  assert.equal(views.get(ending.keyId)?.expires_at, before?.expires_at)
  const { created_at, expires_at } = views.get(made.keyId)!
  assert(
    expires_at !== null && Math.abs(Date.parse(expires_at) - Date.parse(created_at) - minute) < minute / 2,
  )
  assert.deepEqual(Object.keys(lastAdminEvent(ledger).said).sort(), [
    'by',
    'expires_at',
    'hash',
    'key_id',
    'name',
    'principal',
    'replaced_expires_at',
    'replaces',
    'scopes',
  ])
  const key = newApiKey()
  const endless = await ledger.createApiKey(key, 'endless', ['read'])
  const next = await ledger.rotateApiKey(endless.keyId, { overlap: 0 })
  assert.throws(() => ledger.authenticator.authenticate(bearer(key), 'read'), { code: 'invalid_api_key' })
  ledger.authenticator.authenticate(bearer(next.key), 'read')
})

test('what does not apply is refused and leaves no leaf', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  const key = newApiKey()
  const { keyId } = await ledger.createApiKey(key, 'a', ['write'])
  const next = await ledger.rotateApiKey(keyId)
  await ledger.revokeApiKey(next.keyId)
  const { size } = ledger.head()
  await assert.rejects(ledger.createApiKey(key, 'b', ['write']), { code: 'key_conflict' })
  await assert.rejects(ledger.rotateApiKey(keyId), {
    code: 'key_conflict',
    message: new RegExp(`was replaced by ${next.keyId}`),
  })
  await assert.rejects(ledger.rotateApiKey(next.keyId), {
    code: 'key_conflict',
    message: /was revoked already/,
  })
  await assert.rejects(ledger.revokeApiKey(next.keyId), { code: 'key_conflict' })
  await assert.rejects(ledger.revokeApiKey('key_none'), { code: 'unknown_key' })
  await assert.rejects(ledger.rotateApiKey(keyId, { overlap: -1 }), { code: 'invalid_key_settings' })
  for (const name of ['', 'a\nb', 'x'.repeat(101), 'a\u202eb']) {
    await assert.rejects(ledger.createApiKey(newApiKey(), name, ['write']), { code: 'invalid_key_settings' })
  }
  for (const scopes of [[], ['write', 'write'], ['root'], 'write']) {
    await assert.rejects(ledger.createApiKey(newApiKey(), 'n', scopes as ['write']), {
      code: 'invalid_key_settings',
    })
  }
  for (const expiresAt of [Date.now() - 1, 0.5, Number.NaN, 1e16]) {
    await assert.rejects(ledger.createApiKey(newApiKey(), 'n', ['write'], { expiresAt }), {
      code: 'invalid_key_settings',
    })
  }
  assert.equal(ledger.head().size, size)
})

test('P10 of changes at once that contradict each other one is made; the events beside them are stored', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const other = await openTestLedger(t, folder)
  const { keyId } = await ledger.createApiKey(newApiKey(), 'a', ['write'])
  const text = newApiKey()
  const before = ledger.head().size
  // Two processes' writers, several changes in one group commit of each, and events before and after them.
  const outcomes = await Promise.allSettled([
    ...[ledger, other].flatMap(one => [
      one.append(testEvent(1)),
      one.createApiKey(text, 'same text', ['read']),
      one.rotateApiKey(keyId),
      one.rotateApiKey(keyId),
      one.append(testEvent(2)),
    ]),
  ])
  const made = outcomes.map(outcome => (outcome.status === 'fulfilled' ? 1 : 0) as number)
  assert.equal(made[0]! + made[4]! + made[5]! + made[9]!, 4, 'no event failed')
  assert.equal(made[1]! + made[6]!, 1, 'one text is one key')
  assert.equal(made[2]! + made[3]! + made[7]! + made[8]!, 1, 'one rotation')
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'key_conflict')
  }
  const revocations = await Promise.allSettled([ledger, other].map(one => one.revokeApiKey(keyId)))
  assert.deepEqual(revocations.map(outcome => outcome.status).sort(), ['fulfilled', 'rejected'])
  assert.equal(ledger.failure, undefined, 'a refusal is no failure of the ledger')
  assert.equal(ledger.head().size, before + 4 + 1 + 1 + 1)
  await Promise.all([ledger.close(), other.close()])
  const report = checkLog(folder, ledger.about.verifierKeys)
  assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
})

test('DESIGN §7.7 last use: seen at once by this process, stored when the ledger closes', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = newApiKey()
  await ledger.createApiKey(key, 'used', ['write'])
  await ledger.createApiKey(newApiKey(), 'unused', ['write'])
  const before = Date.now()
  ledger.authenticator.authenticate(bearer(key), 'write')
  const used = (from: Ledger) => from.apiKeys().find(view => view.name === 'used')?.last_used_at ?? null
  assert(Date.parse(used(ledger) ?? '') >= before)
  const other = await openTestLedger(t, folder)
  assert.equal(used(other), null, 'another process does not know yet')
  await ledger.close()
  assert(Date.parse(used(other) ?? '') >= before)
  assert.equal(other.apiKeys().find(view => view.name === 'unused')?.last_used_at, null)
})

test('a later use that another process stored stays', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = newApiKey()
  await ledger.createApiKey(key, 'used', ['write'])
  ledger.authenticator.authenticate(bearer(key), 'write')
  const later = Date.now() + 1_000_000
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  db.prepare('UPDATE api_keys SET last_used_at = ?').run(later)
  db.close()
  await ledger.close()
  const again = await openTestLedger(t, folder)
  assert.equal(again.apiKeys()[0]?.last_used_at, new Date(later).toISOString())
})

test('DESIGN §7.7 a key that the table moved to another ledger is refused, and listed', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const key = newApiKey()
  await ledger.createApiKey(key, 'elsewhere', ['write'])
  tamper(folder, 'UPDATE api_keys SET ledger_id = 2')
  assert.throws(() => ledger.authenticator.authenticate(bearer(key), 'write'), {
    code: 'insufficient_scope',
    message: /belongs to another ledger/,
  })
  assert.equal(ledger.apiKeys()[0]?.ledger, '?')
})

test('DESIGN §7.7 the first ledger records the keys of a raw one, whose rotation and revocation hold there', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  await ledger.createLedger({ name: 'certs', kind: 'raw' })
  const certs = ledger.logOf('certs')?.about.ledgerId ?? 0
  const accepts = (text: string) => ledger.authenticator.authenticate(bearer(text), 'write', certs)
  const key = newApiKey()
  const { keyId, principal } = await ledger.createApiKey(key, 'ci', ['write'], { ledger: 'certs' })
  assert.equal(lastAdminEvent(ledger).said.ledger, 'certs')
  assert.deepEqual(accepts(key), { principal, scopes: ['write'], ledgerId: certs })
  const next = await ledger.rotateApiKey(keyId, { overlap: 0 })
  assert.equal(lastAdminEvent(ledger).said.ledger, 'certs')
  assert.equal(accepts(next.key).ledgerId, certs)
  assert.throws(() => accepts(key), { code: 'invalid_api_key' })
  await ledger.createApiKey(newApiKey(), 'main', ['admin'])
  assert.equal(lastAdminEvent(ledger).said.ledger, undefined)
  assert.deepEqual(
    ledger
      .apiKeys()
      .map(view => `${view.ledger} ${view.name} ${view.state}`)
      .sort(),
    ['certs ci active', 'certs ci expired', 'main main active'],
  )
  await ledger.revokeApiKey(next.keyId)
  assert.throws(() => accepts(next.key), { code: 'invalid_api_key' })
  const { size } = ledger.head()
  for (const scope of ['admin', 'erase'] as const) {
    await assert.rejects(ledger.createApiKey(newApiKey(), 'a', ['write', scope], { ledger: 'certs' }), {
      code: 'invalid_key_settings',
      message: /is raw/,
    })
  }
  await assert.rejects(ledger.createApiKey(newApiKey(), 'a', ['write'], { ledger: 'none' }), {
    code: 'unknown_ledger',
  })
  assert.equal(ledger.head().size, size)
  await ledger.close()
  const report = checkLog(folder, ledger.about.verifierKeys)
  assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
})
