import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { test } from 'node:test'

test('DF-10 a service whose health token is too short says the whole error in its log, and not the token', () => {
  const program = `
    import { deedbox } from 'deedbox'
    import { createHealth } from 'deedbox/health'
    createHealth(deedbox({ service: 'shop', ledger: null }))`
  const { PATH, HOME, DEEDBOX_SPOOL } = process.env
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '--eval', program],
    {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      env: { PATH, HOME, DEEDBOX_SPOOL, TMPDIR: tmpdir(), DEEDBOX_HEALTH_TOKEN: 'hunter2-hunter2' },
    },
  )
  assert.equal(status, 1, stderr)
  const [line = '', ...more] = stderr.split('\n').filter(each => each.startsWith('{"timestamp":'))
  assert.deepEqual(more, [], stderr)
  assert.match(line, /health\(\): DEEDBOX_HEALTH_TOKEN has to be at least 16 visible ASCII characters\./)
  assert(!stderr.includes('hunter2'), stderr)
})
