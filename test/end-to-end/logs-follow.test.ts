import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { command, tempFolder } from './ledger-process.ts'

interface Following {
  readonly child: ChildProcess
  stderr(): string
  /** Resolves to what was shown once that is so many lines. */
  shown(count: number): Promise<string[]>
  /** Resolves once it was said on standard error. */
  said(text: string): Promise<void>
}

/** Starts `deedbox logs --follow` into a pipe. */
function follow(t: TestContext, args: readonly string[]): Following {
  const child = spawn(process.execPath, [command, 'logs', '--follow', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const texts = { stdout: '', stderr: '' }
  const looks = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (piece: string) => {
      texts[stream] += piece
      for (const look of looks) look()
    })
  }
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return
        looks.delete(look)
        resolve()
      }
      looks.add(look)
      look()
      child.once('close', () => reject(new Error(`logs --follow ended: ${texts.stdout}${texts.stderr}`)))
    })
  const lines = (): string[] => texts.stdout.split('\n').slice(0, -1)
  return {
    child,
    stderr: () => texts.stderr,
    async shown(count) {
      await until(() => lines().length >= count)
      return lines()
    },
    said: text => until(() => texts.stderr.includes(text)),
  }
}

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `line ${from + i}`)
const text = (from: number, to: number): string =>
  names(from, to)
    .map(name => `${name}\n`)
    .join('')

test('FA-57 follows a file through rotation, truncation and a line that is written in two halves', async t => {
  const file = join(tempFolder(t), 'app.log')
  writeFileSync(file, text(0, 30))
  const tail = follow(t, [file])
  assert.deepEqual(await tail.shown(10), names(20, 30), 'begins with the last ten')
  appendFileSync(file, text(30, 35))
  await tail.shown(15)
  for (let turn = 0; turn < 3; turn++) {
    const from = 35 + turn * 10
    renameSync(file, `${file}.${turn}`)
    // The writer still has the old file, and its last line has no end.
    appendFileSync(`${file}.${turn}`, text(from, from + 5).trimEnd())
    writeFileSync(file, text(from + 5, from + 10))
    assert.deepEqual(await tail.shown(from - 10), names(20, from + 10))
  }
  appendFileSync(file, 'line ')
  appendFileSync(file, '65\nline')
  assert.deepEqual(await tail.shown(46), names(20, 66))
  truncateSync(file, 0)
  await tail.said('was truncated')
  appendFileSync(file, text(66, 70))
  const all = await tail.shown(51)
  assert.deepEqual(all, [...names(20, 66), 'line', ...names(66, 70)])
  const gone = once(tail.child, 'exit')
  tail.child.kill('SIGINT')
  assert.deepEqual(await gone, [0, null])
})

test('FA-57 follows several files, one that is not there yet, and reads packed ones once', async t => {
  const folder = tempFolder(t)
  const [first, second, packed] = ['a.log', 'b.log', 'a.log.1.gz'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const at = (second: number, message: string): string =>
    `${JSON.stringify({ timestamp: `2026-11-29T18:00:0${second}Z`, level: 'ERROR', message })}\n`
  writeFileSync(packed, gzipSync(at(1, 'packed')))
  writeFileSync(first, at(2, 'first') + text(0, 5))
  const tail = follow(t, ['--errors', '--last', '5', first, second, packed])
  await tail.said('b.log does not exist; waiting for it.')
  const messages = async (count: number) =>
    (await tail.shown(count)).map(line => JSON.parse(line).message as string)
  assert.deepEqual(await messages(2), ['packed', 'first'])
  writeFileSync(second, at(3, 'second'))
  assert.deepEqual(await messages(3), ['packed', 'first', 'second'])
  appendFileSync(first, text(5, 6) + at(4, 'more'))
  assert.deepEqual(await messages(4), ['packed', 'first', 'second', 'more'])
  const gone = once(tail.child, 'exit')
  tail.child.kill('SIGTERM')
  assert.deepEqual(await gone, [0, null])
})

test('FA-57 a followed log in groups shows each request as it ends', async t => {
  const file = join(tempFolder(t), 'app.log')
  const line = (id: string, more: object): string => `${JSON.stringify({ request_id: id, ...more })}\n`
  const end = { method: 'GET', path_with_query: '/', status_code: 200, elapsed: 0.001 }
  writeFileSync(file, line('a', { message: '1' }) + line('b', { message: '2' }))
  const tail = follow(t, ['--group', file])
  appendFileSync(file, line('b', end) + line('b', { message: 'unended' }))
  assert.deepEqual(
    (await tail.shown(2)).map(shown => JSON.parse(shown).request_id),
    ['b', 'b'],
  )
  appendFileSync(file, line('a', end))
  assert.deepEqual(
    (await tail.shown(4)).map(shown => JSON.parse(shown).request_id),
    ['b', 'b', 'a', 'a'],
  )
  const gone = once(tail.child, 'exit')
  tail.child.kill('SIGINT')
  assert.deepEqual(await gone, [0, null])
  assert.equal((await tail.shown(5)).length, 5, 'what is open is shown at the end')
})
