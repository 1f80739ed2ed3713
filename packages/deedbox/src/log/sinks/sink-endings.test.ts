import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type LogFolder, logFolder, numbersTo } from '../../testing/log-folder.ts'
import { fileSink } from './file-sink.ts'

const program = fileURLToPath(new URL('../../testing/ending-process.ts', import.meta.url))
const lineCount = 1_000

interface Running {
  readonly child: ChildProcess
  readonly folder: LogFolder
}

function start(t: TestContext, kind: string, ending: string): Running {
  const folder = logFolder(t)
  const args = [program, String(lineCount), ending, kind, folder.file('app.log')]
  const child = spawn(process.execPath, ['--conditions=@deedbox/source', ...args], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // Without a terminal, as a service is.
    detached: true,
  })
  return { child, folder }
}

const endings = [
  ['natural', 0, null],
  ['exit', 3, null],
  ['throw-later', 1, null],
  ['reject', 1, null],
  ['signal', null, 'SIGTERM'],
  ['signal-handled', 7, null],
] as const

for (const kind of ['file', 'function']) {
  for (const [ending, code, signal] of endings) {
    test(`FA-53 FA-51 a ${kind} has every line when the process ends (${ending})`, async t => {
      const { child, folder } = start(t, kind, ending)
      const ended = once(child, 'exit')
      if (ending.startsWith('signal')) {
        await once(child, 'message')
        child.send('end')
      }
      assert.deepEqual(await ended, [code, signal])
      // A process that was cut off in the middle of compressing leaves the rest to the next one.
      if (kind === 'file') await fileSink({ path: folder.file('app.log'), compress: 'gzip' }).close()
      assert.deepEqual(
        folder.numbers().sort((a, b) => a - b),
        numbersTo(lineCount),
      )
    })
  }
}

test('FA-51 SIGHUP has the file reopened in a process without a terminal', async t => {
  const { child, folder } = start(t, 'file', 'hangup')
  await once(child, 'message')
  child.kill('SIGHUP')
  const [answer] = await once(child, 'message')
  assert.equal(answer, 'reopened')
  assert(existsSync(folder.file('app.log')))
  const ended = once(child, 'exit')
  child.send('end')
  assert.deepEqual(await ended, [0, null])
})
