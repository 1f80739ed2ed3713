import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { command, deedbox, run, tempFolder } from './ledger-process.ts'
import { playTwoRequests } from './two-requests.ts'

/** Runs `deedbox logs` on what is piped in. */
async function piped(input: string | Buffer, args: string[]): Promise<string> {
  const child = spawn(process.execPath, [command, 'logs', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  return text(child.stdout)
}

const line = (n: number, more: object = {}): string =>
  `${JSON.stringify({ timestamp: new Date(1_790_000_000_000 + n * 1000).toISOString(), level: 'INFO', message: `m${n}`, ...more })}\n`

const messages = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter(shown => shown !== '')
    .map(shown => JSON.parse(shown).message)

test('FA-57 a real log of two interleaved requests: by id, by group, by status, for people', async t => {
  const file = join(tempFolder(t), 'app.log')
  const written = await playTwoRequests(file)
  const ids = written.map(({ request_id }) => request_id)
  assert.deepEqual(
    ids,
    ['req-a', 'req-b', 'req-a', 'req-b', undefined, 'req-b', 'req-b', 'req-a'],
    'interleaved',
  )

  const one = await deedbox(['logs', file, '--request-id', 'req-a'])
  assert.deepEqual(messages(one.stdout), ['looking up', 'found', 'log request'], one.stderr)
  const grouped = await deedbox(['logs', file, '--group'])
  assert.deepEqual(
    grouped.stdout
      .trimEnd()
      .split('\n')
      .map(shown => JSON.parse(shown).request_id),
    [undefined, 'req-b', 'req-b', 'req-b', 'req-b', 'req-a', 'req-a', 'req-a'],
  )
  const failed = await deedbox(['logs', file, '--status', '5xx'])
  assert.deepEqual(
    failed.stdout
      .split('\n')
      .slice(0, -1)
      .map(shown => JSON.parse(shown).path_with_query),
    ['/orders/b'],
  )

  const { FORCE_COLOR: _, ...env } = process.env
  const pretty = await deedbox(['logs', file, '--group', '--output', 'pretty'], { env })
  const heads = pretty.stdout.split('\n').filter(shown => shown.startsWith('req-'))
  assert.match(heads[0] ?? '', /^req-b GET \/orders\/b 500 \d+\.\d ms \(4 lines\)$/)
  assert.match(heads[1] ?? '', /^req-a GET \/orders\/a 200 \d+\.\d ms \(3 lines\)$/)
  assert.match(pretty.stdout, /^ {4}Error: no such order$/m)
  assert(!pretty.stdout.includes('\u001b'), 'no colours in a pipe')
  const oneLine = await deedbox(['logs', file, '--output', 'text', '--color', 'always'])
  assert.equal(oneLine.stdout.trimEnd().split('\n').length, written.length)
  assert(oneLine.stdout.includes('\u001b[31mERROR'))
})

test('FA-57 packed files, several in time order, and standard input, which may be packed too', async t => {
  const folder = tempFolder(t)
  const packed = join(folder, 'older.gz')
  const plain = join(folder, 'app.log')
  writeFileSync(packed, Buffer.concat([gzipSync(line(1)), gzipSync(line(3) + line(5))]))
  writeFileSync(plain, `${line(2)}not JSON\n${line(4).trimEnd()}`)
  const after = await deedbox(['logs', packed, plain, '--json-only'])
  assert.deepEqual(messages(after.stdout), ['m1', 'm3', 'm5', 'm2', 'm4'])
  const merged = await deedbox(['logs', packed, plain, '--merge'])
  assert.equal(merged.stdout, `${line(1)}${line(2)}not JSON\n${line(3)}${line(4)}${line(5)}`)
  const last = await deedbox(['logs', packed, plain, '--last', '2'])
  assert.deepEqual(messages(last.stdout), ['m4', 'm5'])
  assert.equal(await piped(line(7) + line(8), ['--message', 'm8']), line(8))
  assert.equal(await piped(gzipSync(line(7)), []), line(7))
  // Bytes that are no text pass as they are.
  const odd = Buffer.from([0xff, 0xfe, 0x0a])
  writeFileSync(plain, odd)
  const raw = spawn(process.execPath, [command, 'logs', plain], { stdio: ['ignore', 'pipe', 'inherit'] })
  assert.deepEqual(Buffer.concat(await raw.stdout.toArray()), odd)
})

test('FA-57 a reader that leaves ends the command quietly, whether it reads a file or a pipe', async t => {
  const file = join(tempFolder(t), 'long.log')
  const out = openSync(file, 'w')
  for (let n = 0; n < 100; n++) {
    writeSync(out, Array.from({ length: 1000 }, (_, i) => line(n * 1000 + i)).join(''))
  }
  closeSync(out)
  for (const args of [[file], [file, '--group'], ['-']]) {
    const child = spawn(process.execPath, [command, 'logs', ...args], { stdio: 'pipe' })
    // Whoever writes into the pipe goes on and is never done.
    child.stdin.on('error', () => undefined)
    const feed = (): void => {
      while (child.stdin.write(line(1).repeat(1000)));
    }
    child.stdin.on('drain', feed)
    feed()
    const stderr = text(child.stderr)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    assert.deepEqual(await once(child, 'exit'), [0, null])
    assert.equal(await stderr, '')
  }
})

test('FA-57 what cannot be read is said, the rest is shown, and the exit code is 1', async t => {
  const folder = tempFolder(t)
  const whole = join(folder, 'app.log')
  const cut = join(folder, 'cut.gz')
  writeFileSync(whole, line(1))
  writeFileSync(cut, gzipSync(line(2).repeat(50)).subarray(0, -10))
  const run = await deedbox(['logs', join(folder, 'none.log'), cut, folder, whole])
  assert.equal(run.code, 1)
  assert(run.stdout.endsWith(line(1)))
  assert.match(run.stderr, /^deedbox: \S+none\.log does not exist\.$/m)
  assert.match(run.stderr, /^deedbox: \S+cut\.gz is not whole/m)
  assert.match(run.stderr, /is a folder: name the files in it\.$/m)

  for (const args of [
    ['--level', 'loud'],
    ['--output', 'xml'],
    ['--last', 'many'],
    ['--nonsense'],
    ['--follow', '--merge'],
  ]) {
    const wrong = await deedbox(['logs', whole, ...args])
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''], args.join(' '))
    assert.match(wrong.stderr, /^deedbox: /)
  }
  const nothing = await deedbox(['logs', whole, '--level', 'ERROR'])
  assert.deepEqual(nothing, { code: 0, stdout: '', stderr: '' })
  const help = await deedbox(['logs', '--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /^Examples$/m)
})

test('FA-57 what others wrote does not steer the terminal, in any form for people', async t => {
  const file = join(tempFolder(t), 'app.log')
  const evil = '\u001b]0;owned\u0007\u202e\u009b2J'
  writeFileSync(
    file,
    `${evil}\n${line(1, { message: evil, [evil]: evil, request_id: evil, exception: `E${evil}\n at`, elapsed: 1, status_code: 200, method: evil })}`,
  )
  for (const args of [
    ['--output', 'pretty'],
    ['--output', 'text'],
    ['--output', 'pretty', '--group'],
  ]) {
    const { stdout } = await deedbox(['logs', file, '--color', 'never', ...args])
    assert(stdout.includes('\\u001b]0;owned'))
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
  }
})

test('FA-57 lines that are odd, huge or nested deeply are shown too, and what follows them', async t => {
  const file = join(tempFolder(t), 'app.log')
  const deep = `{"message":"deep","a":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`
  const odd = [
    deep,
    '{"time":1e300,"msg":"late"}',
    '{"time":-1,"level":{},"msg":[]}',
    `"${'x'.repeat(100_000)}"`,
  ]
  writeFileSync(file, `${odd.join('\n')}\n${line(1)}`)
  for (const args of [[], ['--output', 'pretty'], ['--output', 'text'], ['--group'], ['--field', 'a=1']]) {
    const { code, stderr, stdout } = await deedbox(['logs', file, ...args])
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    if (args[0] !== '--field') assert.match(stdout, /m1/)
  }
})

const python = await run('python3', ['--version'])
const skip = python.code !== 0 && 'python3, which makes a pseudo-terminal, is not installed'

test('FA-57 on a terminal lines are for people, in colours unless NO_COLOR is set', { skip }, async t => {
  const file = join(tempFolder(t), 'app.log')
  writeFileSync(file, `${line(1, { level: 'WARNING', message: 'low\u009b2J' })}\u001b[2Jplain\n`)
  const shown = async (args: string[], env: Record<string, string> = {}): Promise<string> => {
    // Nothing else is handed down: CI, TMUX, NODE_DISABLE_COLORS and more decide on colours too.
    const { PATH = '' } = process.env
    const onTerminal = ['-c', 'import pty, sys; pty.spawn(sys.argv[1:])', process.execPath, command, 'logs']
    const { stdout } = await run('python3', [...onTerminal, file, ...args], {
      env: { PATH, TERM: 'xterm', ...env },
    })
    return stdout.replaceAll('\r\n', '\n')
  }
  const plain = '\\u001b[2Jplain\n'
  const pretty = await shown([])
  assert.match(pretty, /\u001b\[\S*WARNING/)
  assert.match(pretty, /low\\u009b2J/)
  assert(pretty.endsWith(plain))
  const colourless = /^2026-\S+\n\S+Z WARNING {2}low\\u009b2J\n/
  assert.match(await shown([], { NO_COLOR: '1' }), colourless)
  assert.match(await shown(['--color', 'never']), colourless)
  const json = await shown(['--output', 'json'])
  assert.equal(json.split('\n').length, 3)
  assert.doesNotMatch(json, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  assert.equal(JSON.parse(json.split('\n')[0] ?? '').message, 'low\u009b2J', 'the escapes mean the same')
})

test('FA-57 requests whose end was not seen are shown at the end; thousands at once in parts', async t => {
  const file = join(tempFolder(t), 'app.log')
  const ids = Array.from({ length: 10_001 }, (_, i) => `r${i}`)
  writeFileSync(
    file,
    ids.map((id, i) => line(i, { request_id: id })).join('') +
      line(20_000, { request_id: 'r0', message: 'again' }),
  )
  const { stdout } = await deedbox(['logs', file, '--group', '--output', 'text', '--color', 'never'])
  const heads = stdout.split('\n').filter(shown => shown.startsWith('r'))
  assert.equal(heads[0], 'r0 end not seen (1 line, not all of them)')
  assert.equal(heads.length, 10_002)
  assert.equal(heads.at(-1), 'r0 end not seen (1 line, not all of them)')
})
