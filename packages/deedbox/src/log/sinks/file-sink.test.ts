import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { captureLog } from '../../testing/captured-log.ts'
import { logFolder, numbersTo } from '../../testing/log-folder.ts'
import { type FileSink, fileSink } from './file-sink.ts'

const lineOf = (i: number): string => `${JSON.stringify({ i, padding: 'ü'.repeat(20) })}\n`

/** Writes and flushes each line by itself. */
function writeLines(sink: FileSink, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    sink.write(lineOf(i))
    sink.flush()
  }
}

test('FA-51 FA-46 a file takes the lines of a log, after those that it has', async t => {
  const folder = logFolder(t)
  writeFileSync(folder.file('app.log'), '{"i":-1}\n')
  const { box } = captureLog({ log: { sink: fileSink({ path: folder.file('app.log') }) } })
  for (let i = 0; i < 1_000; i++) box.log.info('n', { i })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(folder.numbers(), [-1, ...numbersTo(1_000)])
  await box.close()
})

test('FA-51 a lazy file is made at the first line, with its folder and its permissions', async t => {
  const folder = logFolder(t)
  const path = folder.file('deep/er/app.log')
  const sink = fileSink({ path, lazy: true, mode: 0o600 })
  assert.deepEqual(folder.names(), [])
  writeLines(sink, 0, 1)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await sink.close()
  assert.throws(() => sink.write('late'), /closed/)
})

test('FA-51 a path that cannot be a file is refused at once', t => {
  const folder = logFolder(t)
  mkdirSync(folder.file('app.log'))
  assert.throws(() => fileSink({ path: folder.file('app.log') }), { setting: 'fileSink.path' })
})

test('FA-51 rotation by size loses no line and splits none, in one turn and over many', async t => {
  const folder = logFolder(t)
  const sink = fileSink({ path: folder.file('app.log'), rotate: { size: 1_000 } })
  for (let i = 0; i < 500; i++) sink.write(lineOf(i))
  sink.flush()
  writeLines(sink, 500, 700)
  await sink.close()
  const names = folder.names()
  assert(names.length > 40)
  for (const name of names) {
    assert.match(name, /^app(\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(\.\d+)?)?\.log$/)
    assert(statSync(folder.file(name)).size <= 1_000)
  }
  assert.deepEqual(
    folder.numbers().sort((a, b) => a - b),
    numbersTo(700),
  )
})

test('FA-51 a line longer than the size has a file of its own', async t => {
  const folder = logFolder(t)
  const sink = fileSink({ path: folder.file('app.log'), rotate: { size: 10 } })
  writeLines(sink, 0, 3)
  await sink.close()
  assert.equal(folder.names().length, 3)
  assert.deepEqual(folder.numbers().sort(), [0, 1, 2])
})

test('FA-51 rotation by time follows the last line, also over a restart, and names the file after it', async t => {
  const folder = logFolder(t)
  const path = folder.file('app.log')
  writeFileSync(path, lineOf(0))
  utimesSync(path, 1_700_000_000, 1_700_000_000)
  const sink = fileSink({ path, rotate: { every: 'day' } })
  writeLines(sink, 1, 3)
  assert.deepEqual(folder.names(), ['app.2023-11-14T22-13-20Z.log', 'app.log'])
  utimesSync(path, 1_700_000_000, 1_700_000_000)
  writeLines(sink, 3, 4)
  await sink.close()
  assert.deepEqual(folder.names(), [
    'app.2023-11-14T22-13-20Z.1.log',
    'app.2023-11-14T22-13-20Z.log',
    'app.log',
  ])
  assert.equal(folder.read('app.log'), lineOf(3))
})

test('FA-51 rotation by a function, which costs no line when it throws', async t => {
  const folder = logFolder(t)
  const told: string[] = []
  const when = ({ next, size }: { next: number; size: number }): boolean => {
    if (size === next) throw new Error('no idea')
    return size >= 3 * next
  }
  const sink = fileSink({ path: folder.file('app.log'), rotate: { when } })
  sink.onLoss?.((lines, problem) => told.push(`${lines} ${problem}`))
  writeLines(sink, 0, 5)
  await sink.close()
  assert.equal(folder.read('app.log'), lineOf(3) + lineOf(4))
  assert.deepEqual(told, ['0 rotate.when threw: no idea', '0 rotate.when threw: no idea'])
})

test('FA-51 the oldest files go, by count, by age and by a function, and nothing that is not ours', async t => {
  const folder = logFolder(t)
  const ours = (day: number, rest = ''): string => `app.2026-11-0${day}T00-00-00Z.log${rest}`
  const foreign = [
    'app.1.log',
    'app.2026-11-01.log',
    'app.2026-11-01T00-00-00Z.log.bak',
    'other.log',
    'app.log.gz',
  ]
  for (const name of [...foreign, ours(1), ours(2, '.gz'), ours(3), ours(4)])
    writeFileSync(folder.file(name), '')
  const tidied = async (keep: object): Promise<string[]> => {
    const sink = fileSink({ path: folder.file('app.log'), keep })
    await sink.close()
    return folder.names().filter(name => !foreign.includes(name) && name !== 'app.log')
  }
  assert.deepEqual(await tidied({}), [ours(1), ours(2, '.gz'), ours(3), ours(4)])
  assert.deepEqual(await tidied({ files: 3 }), [ours(2, '.gz'), ours(3), ours(4)])
  const second = Date.parse('2026-11-02')
  const isYounger = ({ time, index }: { time: Date; index: number }): boolean =>
    time.getTime() > second || index < 2
  assert.deepEqual(await tidied({ when: isYounger }), [ours(3), ours(4)])
  const days = (Date.now() - Date.parse('2026-11-03T12:00:00Z')) / 86_400_000
  assert.deepEqual(await tidied(days > 0 ? { days } : { files: 1 }), [ours(4)])
  assert.deepEqual(folder.names().length, foreign.length + 2)
})

test('FA-51 full files are compressed in the background, and what a killed process left is taken up', async t => {
  const folder = logFolder(t)
  const left = 'app.2026-11-01T00-00-00Z.log'
  writeFileSync(folder.file(left), lineOf(0))
  writeFileSync(folder.file(`${left}.gz.part`), 'half')
  const sink = fileSink({ path: folder.file('app.log'), rotate: { size: 2_000 }, compress: 'gzip' })
  writeLines(sink, 1, 300)
  await sink.drain()
  const names = folder.names()
  assert(names.length > 5)
  assert(
    names.every(name => name === 'app.log' || name.endsWith('Z.log.gz') || /Z\.\d+\.log\.gz$/.test(name)),
  )
  assert.deepEqual(
    folder.numbers().sort((a, b) => a - b),
    numbersTo(300),
  )
  await sink.close()
})

test('FA-51 an external mv, and a removed file, are noticed at the next lines', async t => {
  const folder = logFolder(t)
  const sink = fileSink({ path: folder.file('app.log') })
  writeLines(sink, 0, 2)
  execFileSync('mv', [folder.file('app.log'), folder.file('moved.log')])
  writeLines(sink, 2, 4)
  assert.equal(folder.read('moved.log'), lineOf(0) + lineOf(1))
  assert.equal(folder.read('app.log'), lineOf(2) + lineOf(3))
  rmSync(folder.file('app.log'))
  writeLines(sink, 4, 5)
  assert.equal(folder.read('app.log'), lineOf(4))
  await sink.close()
})

test('FA-51 a file that is not to be reopened stays the one that was opened', async t => {
  const folder = logFolder(t)
  const sink = fileSink({ path: folder.file('app.log'), reopen: false })
  execFileSync('mv', [folder.file('app.log'), folder.file('moved.log')])
  writeLines(sink, 0, 2)
  await sink.close()
  assert.deepEqual(folder.names(), ['moved.log'])
  assert.deepEqual(folder.numbers(), [0, 1])
})

test('FA-51 a line that has no end, of a process that died, is ended before the next one', async t => {
  const folder = logFolder(t)
  writeFileSync(folder.file('app.log'), '{"i":')
  utimesSync(folder.file('app.log'), 1_700_000_000, 1_700_000_000)
  const sink = fileSink({ path: folder.file('app.log') })
  writeLines(sink, 0, 1)
  await sink.close()
  assert.equal(folder.read('app.log'), `{"i":\n${lineOf(0)}`)
})

test('FA-52 the lock of a dead process does not stop rotation, the lock of a living one puts it off', async t => {
  const folder = logFolder(t)
  const lock = folder.file('app.log.lock')
  const { pid, host } = JSON.parse(
    execFileSync(process.execPath, [
      '-p',
      'JSON.stringify({ pid: process.pid, host: os.hostname() })',
    ]).toString(),
  )
  const sink = fileSink({ path: folder.file('app.log'), rotate: { size: 10 } })
  writeLines(sink, 0, 1)
  writeFileSync(lock, `${process.ppid}@${host}`)
  writeLines(sink, 1, 2)
  assert.deepEqual(folder.names(), ['app.log', 'app.log.lock'])
  writeFileSync(lock, `${pid}@${host}`)
  writeLines(sink, 2, 3)
  await sink.close()
  assert.equal(folder.names().length, 2)
  assert.deepEqual(folder.numbers().sort(), [0, 1, 2])
})

test('FA-10 a full disk costs lines, which are counted, and nothing else', { skip: fullSkip() }, async t => {
  const folder = logFolder(t)
  symlinkSync('/dev/full', folder.file('app.log'))
  const sink = fileSink({ path: folder.file('app.log'), rotate: { size: 10 } })
  const told: [number, string][] = []
  sink.onLoss?.((lines, problem) => told.push([lines, problem.slice(0, 6)]))
  for (let i = 0; i < 3; i++) sink.write(lineOf(i))
  sink.flush()
  rmSync(folder.file('app.log'))
  await sink.close()
  assert.deepEqual(told, [[3, 'ENOSPC']])
})

test('FA-10 a disk that is full for a while: no torn line, and it goes on when there is room', async t => {
  const folder = logFolder(t)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder.path], { stdio: 'ignore' })
  } catch {
    t.skip('a small file system cannot be mounted here')
    return
  }
  try {
    writeFileSync(folder.file('ballast'), Buffer.alloc(4_096))
    const sink = fileSink({ path: folder.file('app.log') })
    let lost = 0
    sink.onLoss?.(lines => {
      lost += lines
    })
    writeLines(sink, 0, 400)
    rmSync(folder.file('ballast'))
    writeLines(sink, 400, 410)
    await sink.close()
    const numbers = folder.numbers()
    assert(lost > 0)
    assert.equal(numbers.length + lost, 410)
    assert.deepEqual(numbers, [...numbersTo(400 - lost), ...numbersTo(410).slice(400)])
  } finally {
    execFileSync('umount', [folder.path])
  }
})

function fullSkip(): string | false {
  try {
    appendFileSync('/dev/full', 'x')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
  }
  return 'there is no /dev/full here'
}
