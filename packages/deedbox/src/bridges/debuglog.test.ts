import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** Runs a program under NODE_DEBUG, and takes its standard error apart into lines. */
function run(sections: string, program: string): { lines: Record<string, unknown>[]; others: string[] } {
  const entry = JSON.stringify(new URL('../index.ts', import.meta.url).href)
  const bridge = JSON.stringify(new URL('./debuglog.ts', import.meta.url).href)
  const source = `
    import { debuglog } from 'node:util'
    import { deedbox } from ${entry}
    import { captureDebuglog } from ${bridge}
    const box = deedbox({ ledger: null, audit: { requests: false } })
    const undo = captureDebuglog(box.log)
    ${program}
  `
  const { stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module-typescript', '-e', source],
    {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      timeout: 60_000,
      env: { ...process.env, NODE_DEBUG: sections },
    },
  )
  assert.equal(status, 0, stderr)
  const texts = stderr.trimEnd().split('\n')
  return {
    lines: texts.filter(text => text.startsWith('{"timestamp"')).map(text => JSON.parse(text)),
    others: texts.filter(text => !text.startsWith('{"timestamp"')),
  }
}

test('FA-55 what NODE_DEBUG has printed is a line with the id of its job, until it is undone', () => {
  const { lines, others } = run(
    'shop',
    `
    const debug = debuglog('shop')
    box.run({ name: 'nightly', requestId: 'nightly-1' }, () => debug('sold %d, token=%s', 3, 'hunter2-correct-horse'))
    process.stderr.write('as before\\n')
    undo()
    debug('afterwards')
    `,
  )
  const [line] = lines
  assert.deepEqual(
    [line?.level, line?.message, line?.logger, line?.section, line?.request_id],
    ['INFO', 'sold 3, token=[redacted]', 'debuglog', 'shop', 'nightly-1'],
  )
  assert.equal(others[0], 'as before')
  assert.match(others[1] ?? '', /^SHOP \d+: afterwards$/)
  assert.equal(others.length, 2)
})

test('FA-55 NODE_DEBUG for what writing a line uses makes no loop', () => {
  const { lines } = run('timer,stream,net,http,fs,shop', `setTimeout(() => debuglog('shop')('late'), 20)`)
  assert.equal(lines.filter(line => line.message === 'late').length, 1)
})
