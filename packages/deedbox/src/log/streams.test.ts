import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const child = fileURLToPath(new URL('../testing/mozlog-child.ts', import.meta.url))

async function streams(variables: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, ['--conditions=@deedbox/source', child], {
    env: { PATH: process.env.PATH, ...variables },
  })
}

test('FA-09 DF-51 X-04 lines go to standard error, mozlog to standard output, each only there, or where a variable says', async () => {
  const flat = await streams({})
  assert.equal(flat.stdout, '')
  assert.equal(JSON.parse(flat.stderr).message, 'said')
  const mozlog = await streams({ DEEDBOX_LOG_FORMAT: 'mozlog' })
  assert.equal(mozlog.stderr, '')
  assert.equal(JSON.parse(mozlog.stdout).Fields.msg, 'said')
  const chosen = await streams({ DEEDBOX_LOG_FORMAT: 'mozlog', DEEDBOX_LOG_SINK: 'stderr' })
  assert.equal(chosen.stdout, '')
  assert.equal(JSON.parse(chosen.stderr).Fields.order, 7)
  const wrong = await streams({ DEEDBOX_LOG_FORMAT: 'xml' })
  const [warning, said] = wrong.stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.match(warning.message, /^DEEDBOX_LOG_FORMAT: "xml" is unknown/)
  assert.deepEqual([warning.level, said.message], ['WARNING', 'said'])
})

for (const how of ['naturally', 'exit', 'throw', 'signal']) {
  test(`FA-53 what was logged without an instance is written when the process ends: ${how}`, async () => {
    const program = fileURLToPath(new URL('../testing/last-words.ts', import.meta.url))
    const running = execFile(process.execPath, ['--conditions=@deedbox/source', program, how], {
      env: { PATH: process.env.PATH },
    })
    let stderr = ''
    running.stderr?.on('data', (text: string) => {
      stderr += text
    })
    const [code, signal] = await once(running, 'close')
    assert.deepEqual([code, signal], how === 'signal' ? [null, 'SIGTERM'] : [how === 'throw' ? 1 : 0, null])
    assert.equal(stderr.split('\n').filter(line => line.includes('"last words"')).length, 1, stderr)
  })
}
