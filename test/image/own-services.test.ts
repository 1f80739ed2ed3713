import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox, startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'

test('DF-58 DF-59 DF-10 DF-11 DF-12 a running ledger passes the check as strangers see it', async t => {
  const ledger = await startLedger(t, tempFolder(t), {
    DEEDBOX_SOURCE: 'https://github.com/acme/ledger',
    DEEDBOX_COMMIT: 'c636845f00c636845f00c636845f00c636845f00',
    DEEDBOX_BUILD: 'https://ci.example/7',
  })
  const { code, stdout, stderr } = await deedbox(['check', ledger.url])
  assert.equal(code, 0, stdout + stderr)
  assert.doesNotMatch(stdout, / (FAIL|warn) /)
  assert.match(stdout, /^App 4 +pass .*\nApp 5 +pass .*\nApp 6 +pass /m)
  assert.equal(await stopLedger(ledger), 0)
})
