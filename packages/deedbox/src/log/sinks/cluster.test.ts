import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { logFolder, numbersTo } from '../../testing/log-folder.ts'
import { fileSink } from './file-sink.ts'

const program = fileURLToPath(new URL('../../testing/cluster-logging.ts', import.meta.url))
const linesOfWorker = 5_000

for (const mode of ['served', 'closed', 'alone']) {
  test(`FA-52 FA-51 four workers and rotation: each line once, whole (the file is ${mode})`, async t => {
    const folder = logFolder(t)
    const args = [
      '--conditions=@deedbox/source',
      program,
      folder.file('app.log'),
      mode,
      String(linesOfWorker),
    ]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
    // Workers that exit in the middle of compressing leave it to whoever opens the file next.
    await fileSink({ path: folder.file('app.log'), compress: 'gzip' }).close()
    assert.equal(stderr, '')
    assert.equal(Number(stdout) > 0, mode !== 'alone')
    assert.deepEqual(
      folder.numbers().sort((a, b) => a - b),
      numbersTo(4 * linesOfWorker),
    )
    const names = folder.names()
    assert(names.length > 5)
    assert(
      names.every(name => name === 'app.log' || name.endsWith('Z.log.gz') || /Z\.\d+\.log\.gz$/.test(name)),
    )
  })
}

test('FA-52 what a dead worker has left is taken by the next sink, of a living one it is not', async t => {
  const folder = logFolder(t)
  const { pid } = spawnSync(process.execPath, ['--version'])
  const left = (numbers: number[]): string =>
    numbers.map(i => `${JSON.stringify({ number: i, text: `{"i":${i}}\n` })}\n`).join('')
  const living = `app.log.${process.ppid}-7.left`
  writeFileSync(folder.file(`app.log.${pid}-5.left`), left([1, 2]))
  writeFileSync(folder.file(living), left([3]))
  await fileSink({ path: folder.file('app.log') }).close()
  assert.equal(folder.read('app.log'), '{"i":1}\n{"i":2}\n')
  assert.deepEqual(folder.names(), ['app.log', living])
})
