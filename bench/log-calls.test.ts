import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

// What is measured writes to /dev/null. Here it is seen that each logger writes the same facts.

for (const name of [
  'deedbox-warn',
  'deedbox-always',
  'pino',
  'pino-mixin',
  'winston',
  'logtape',
  'evlog',
  'loglayer',
]) {
  test(`${name} writes one JSON line a call, with the id and the fields`, async t => {
    const child = spawn(
      process.execPath,
      ['--conditions=@deedbox/source', join(import.meta.dirname, 'peers', 'log-calls.ts'), name],
      { env: { NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    )
    t.after(() => child.kill('SIGKILL'))
    let written = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      written += text
    })
    const ended = Promise.all([once(child, 'exit'), once(child.stdout!, 'end')])
    await once(child, 'message')
    child.send({ seconds: 0.01 })
    const [result] = (await once(child, 'message')) as [{ requests: number }]
    child.disconnect()
    await ended
    const lines = written.split('\n').filter(line => line.includes('charging the card'))
    assert.ok(result.requests > 0)
    assert.equal(lines.length, result.requests)
    const first: unknown = JSON.parse(lines[0] ?? '')
    const text = JSON.stringify(first)
    for (const fact of [
      '"0198f4e2-5c2b-7a44-9a3e-3d0c5b1f2a61"',
      '"order":4711',
      '"attempt":1',
      '"method":"visa"',
    ])
      assert.ok(text.includes(fact), text)
  })
}
