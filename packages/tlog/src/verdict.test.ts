import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodes } from './verdict.ts'

test('F9 F16 scripts tell verdicts apart by exit codes, and only ok is success', () => {
  // Scripts depend on these numbers: they may be added to, never changed.
  assert.deepEqual(exitCodes, {
    ok: 0,
    ok_unpinned: 3,
    ok_unwitnessed: 4,
    redacted_ok: 5,
    content_mismatch: 10,
    content_missing: 11,
    index_mismatch: 12,
    missing_index: 13,
    truncated: 14,
    fork: 15,
    bad_signature: 16,
    unknown_version: 17,
    not_covered: 18,
    nothing_checked: 19,
  })
  const codes = Object.values(exitCodes)
  assert.equal(new Set(codes).size, codes.length)
  assert.ok(codes.every(code => code !== 1 && code !== 2 && code < 126))
})
