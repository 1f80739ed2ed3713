import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Announcement } from './peers/serve.ts'
import { loggedFrameworks } from './request-log.ts'

// What is measured writes to /dev/null. Here it is seen that it writes at all, and that all answer alike.

for (const { name, shown, peers } of loggedFrameworks) {
  for (const logger of ['bare', 'deedbox', ...peers]) {
    test(`${logger} on ${shown} answers as all do, and writes what is measured`, async t => {
      const child = spawn(
        process.execPath,
        ['--conditions=@deedbox/source', join(import.meta.dirname, 'peers', 'request-log.ts'), name, logger],
        { env: { NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
      )
      t.after(() => child.kill('SIGKILL'))
      let written = ''
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        written += text
      })
      // Not `close`: it does not come where this side has let go of the channel.
      const ended = Promise.all([once(child, 'exit'), once(child.stdout!, 'end')])
      const [{ port }] = (await Promise.race([
        once(child, 'message'),
        ended.then(() => assert.fail('ended before it was ready')),
      ])) as [Announcement]
      const response = await fetch(`http://127.0.0.1:${port}/things/17?page=2`, {
        headers: { connection: 'close' },
      })
      assert.deepEqual([response.status, await response.text()], [200, '{"ok":true}'])
      child.disconnect()
      await ended
      const about = written.split('\n').filter(line => line.includes('/things/17'))
      assert.equal(about.length, logger === 'bare' ? 0 : 1, written)
      // evlog writes the path without its query.
      if (logger !== 'bare' && logger !== 'evlog') assert.match(about[0] ?? '', /\/things\/17\?page=2/)
      if (logger !== 'bare' && logger !== 'morgan') assert.doesNotThrow(() => JSON.parse(about[0] ?? ''))
    })
  }
}
