import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deedbox, root, startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { startService } from '../guides/service-process.ts'

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

test('DF-58 DF-59 X-13 the example passes the check, its folder and its service together', async t => {
  const folder = tempFolder(t)
  const version = { source: 'https://github.com/acme/shop', version: 'v1', commit: 'c636845f00', build: '' }
  writeFileSync(join(folder, 'version.json'), JSON.stringify({ ...version, build: 'https://ci.example/7' }))
  const example = join(root, 'examples', 'express-service')
  const running = await startService(t, join(example, 'server.ts'), { env: { PORT: '0', APP_DIR: folder } })
  const { code, stdout, stderr } = await deedbox(['check', example, `http://127.0.0.1:${running.port}`])
  assert.equal(code, 0, stdout + stderr)
  assert.doesNotMatch(stdout, / (FAIL|warn) /)
  // Drained, it ends by the signal; as the first process of a container, with 0.
  assert.equal(await running.stop(), 'SIGTERM')
})
