import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKeySettings, readOverlap, readSpan } from './key-arguments.ts'
import { keyTable } from './key-table.ts'

test('time spans: a number and a unit; zero needs none', () => {
  for (const [text, milliseconds] of [
    ['0', 0],
    ['10s', 10_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['90d', 7_776_000_000],
  ] as const) {
    assert.equal(readSpan(text, '--overlap'), milliseconds)
  }
  for (const text of ['', '5', '-1h', '1.5h', '1w', '1h30m', '24 h', '9999999999d']) {
    assert.throws(() => readSpan(text, '--overlap'), {
      code: 'invalid_usage',
      message: /--overlap takes a time/,
    })
  }
  assert.throws(() => readOverlap('366d'), { code: 'invalid_usage', message: /0 to 365 days/ })
  assert.equal(readOverlap(undefined), undefined)
})

test('a key expires after a span, at a time, or never; what is wrong is a wrong call', () => {
  const now = Date.UTC(2030, 0, 1)
  const given = { name: 'ci', scopes: 'write,read' }
  assert.deepEqual(readKeySettings(given, now), { name: 'ci', scopes: ['write', 'read'], expiresAt: null })
  assert.equal(readKeySettings({ ...given, expires: '1d' }, now).expiresAt, Date.UTC(2030, 0, 2))
  const time = '2030-01-03T01:00:00+01:00'
  assert.equal(readKeySettings({ ...given, expires: time }, now).expiresAt, Date.UTC(2030, 0, 3))
  for (const wrong of [
    { name: 'ci' },
    { scopes: 'read' },
    { ...given, scopes: 'write, read' },
    { ...given, scopes: '' },
    { ...given, name: '\u001b[2J' },
    { ...given, expires: '2029-01-01T00:00:00Z' },
    { ...given, expires: '2030-13-01T00:00:00Z' },
    { ...given, expires: 'soon' },
    { ...given, expires: '0' },
  ]) {
    assert.throws(() => readKeySettings(wrong, now), { code: 'invalid_usage' }, JSON.stringify(wrong))
  }
})

test('the table of keys: one line each, and nothing in it that a terminal would obey', () => {
  const key = {
    key_id: 'key_a',
    name: 'shop \u001b[2J',
    ledger: 'main',
    principal: 'writer_a',
    scopes: ['write', 'read'],
    state: 'replaced' as const,
    created_at: '2030-01-01T10:11:12.000Z',
    expires_at: null,
    revoked_at: null,
    replaced_by: 'key_b',
    last_used_at: '2030-01-02T10:11:12.000Z',
  }
  assert.equal(
    keyTable([key]),
    'id     name       principal  scopes      created            expires  last used          state\n' +
      'key_a  shop ?[2J  writer_a   write,read  2030-01-01 10:11Z  never    2030-01-02 10:11Z  replaced by key_b\n',
  )
  const table = keyTable([key, { ...key, ledger: 'certs' }])
  const column = table.split('\n').map(line => line.slice(18, 24).trim())
  assert.deepEqual(column.slice(0, 3), ['ledger', 'main', 'certs'], 'only where there is more than one')
})
