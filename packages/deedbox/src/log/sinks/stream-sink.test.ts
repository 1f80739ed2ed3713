import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseLine } from '../../testing/captured-log.ts'

const program = fileURLToPath(new URL('../../testing/ending-process.ts', import.meta.url))
const lineCount = 2_000

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a process that ends as told. */
function start(ending: string, stream = 'stderr'): ChildProcess {
  const args = ['--conditions=@deedbox/source', program, String(lineCount), ending, stream]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
}

/** Reads all that a process writes until it is over. */
async function end(child: ChildProcess): Promise<Ended> {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout ?? process.stdin),
    text(child.stderr ?? process.stdin),
  ])
  return { code, signal, stdout, stderr }
}

/** The counted lines of an output, all of which must be whole. Node's own report of an error is no line of ours. */
function countedLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => parseLine(`${line}\n`))
    .filter(({ message }) => message === 'counted')
}

function checkAll(output: string): void {
  const numbers = countedLines(output)
    .map(({ i }) => i)
    .filter(i => i !== undefined)
  assert.deepEqual(numbers, [...Array(lineCount).keys()])
}

const endings = [
  { ending: 'natural', how: 'at its natural end', code: 0 },
  { ending: 'exit', how: 'with process.exit()', code: 3 },
  { ending: 'exit-in-promise', how: 'with process.exit() in a promise', code: 3 },
  { ending: 'throw', how: 'by an exception while it loads', code: 1 },
  { ending: 'throw-later', how: 'by an uncaught exception', code: 1 },
  { ending: 'reject', how: 'by an unhandled rejection', code: 1 },
] as const

for (const { ending, how, code } of endings) {
  test(`FA-09 FA-26 no line is lost when the process ends ${how}`, async () => {
    const ended = await end(start(ending))
    assert.equal(ended.code, code)
    checkAll(ended.stderr)
    assert.equal(ended.stdout, '')
  })
}

test('FA-09 lines go to stdout when asked, and only there', async () => {
  const ended = await end(start('natural', 'stdout'))
  checkAll(ended.stdout)
  assert.equal(ended.stderr, '')
})

for (const [ending, code, signal] of [
  ['signal', null, 'SIGTERM'],
  ['signal-handled', 7, null],
] as const) {
  test(`FA-09 no line is lost at SIGTERM (${ending}), and the process ends as it would without us`, async () => {
    const child = start(ending)
    const output = end(child)
    await once(child, 'message')
    child.send('end')
    const ended = await output
    assert.equal(ended.code, code)
    assert.equal(ended.signal, signal)
    checkAll(ended.stderr)
    if (ending === 'signal-handled') assert.equal(countedLines(ended.stderr).at(-1)?.last, true)
  })
}

test('FA-10 a reader that went away does not end the process', async () => {
  const child = start('signal-handled', 'stdout')
  const ended = once(child, 'close')
  const notes = text(child.stderr ?? process.stdin)
  await once(child, 'message')
  child.stdout?.destroy()
  child.send('end')
  assert.deepEqual(await ended, [7, null])
  assert.match(await notes, /^deedbox: the log sink failed, .*EPIPE/m)
})

test('FA-09 a stream that cannot take everything at once gets each line once, whole and in order', async () => {
  const child = start('slow-reader', 'stdout')
  const ended = once(child, 'close')
  // Not read before the process has filled it, so that the system call takes a part, then nothing.
  await once(child, 'message')
  const output = text(child.stdout ?? process.stdin)
  const [stdout] = await Promise.all([output, ended])
  checkAll(stdout)
})

test('FA-10 a reader that stalls gets each line once, whole and in order, when it goes on', async () => {
  const child = start('slow-reader', 'stdout')
  const ended = once(child, 'close')
  let notes = ''
  for await (const note of child.stderr ?? []) {
    notes += note
    // Given up for the moment, with all that the pipe does not hold kept.
    if (notes.includes('EAGAIN')) break
  }
  assert.match(notes, /^deedbox: the log sink failed, 0 lines are lost so far: EAGAIN/)
  const [stdout] = await Promise.all([text(child.stdout ?? process.stdin), ended])
  checkAll(stdout)
})
