import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'

const child = join(import.meta.dirname, '../../testing/pretty-child.ts')
const command = [process.execPath, '--conditions=@deedbox/source', child]

/** Runs a shell command on a terminal that is none of this process's; `undefined` where nothing makes one. */
const pseudoTerminal: ((shell: string) => [file: string, args: string[]]) | undefined = (() => {
  if (process.platform === 'win32') return undefined
  const isThere = (file: string, args: string[]): boolean => spawnSync(file, args).status === 0
  if (process.platform === 'linux' && isThere('script', ['--version'])) {
    return shell => ['script', ['-qec', shell, '/dev/null']]
  }
  const spawn = 'import pty, sys; pty.spawn(["/bin/sh", "-c", sys.argv[1]])'
  return isThere('python3', ['-c', 'import pty']) ? shell => ['python3', ['-c', spawn, shell]] : undefined
})()

async function said(file: string, args: string[], variables: Record<string, string>): Promise<string> {
  const { PATH } = process.env
  const running = execFile(file, args, { env: { PATH, TZ: 'UTC', ...variables } })
  let output = ''
  for (const stream of [running.stdout, running.stderr])
    stream?.on('data', (text: string) => (output += text))
  running.stdin?.end()
  const [code] = await once(running, 'close')
  assert.equal(code, 0, output)
  return output.replaceAll('\r\n', '\n')
}

function piped(variables: Record<string, string>): Promise<string> {
  const [file = '', ...args] = command
  return said(file, args, { TERM: 'xterm-256color', ...variables })
}

/** What the child shows on a terminal of 60 columns; skips the test where there can be none. */
async function onTerminal(t: TestContext, variables: Record<string, string>): Promise<string | undefined> {
  if (pseudoTerminal === undefined) {
    t.skip('neither script of util-linux nor python3 is here to make a pseudo-terminal')
    return undefined
  }
  const quoted = command.map(part => `'${part.replaceAll("'", "'\\''")}'`).join(' ')
  const [file, args] = pseudoTerminal(`stty cols 60 rows 24 && exec ${quoted}`)
  return said(file, args, { TERM: 'xterm-256color', ...variables })
}

const escapeSign = /\x1b/

test('FA-11 FA-12 a terminal in development shows colour, and wraps at its width', async t => {
  const output = await onTerminal(t, { ENV: 'development' })
  if (output === undefined) return
  assert(output.includes('\x1b[38;5;114muser\x1b[39m'), JSON.stringify(output))
  const rows = stripVTControlCharacters(output).split('\n')
  assert.match(rows[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3}Z INFO {5}hello$/)
  assert.deepEqual(rows.slice(1, 3), ['  user: { id: 7 }', '  password: "[redacted]"'])
  assert(
    rows.every(row => row.length <= 60 || /^ *(?:at|File) /.test(row)),
    rows.join('\n'),
  )
  assert.match(rows[4] ?? '', /^ {4}\S/)
  assert(rows.some(row => row.trim() === 'Error: no red'))
  assert(rows.some(row => /^ *File ".*pretty-child\.ts", line \d+/.test(row)))
})

test('FA-12 FA-56 on a terminal the variables choose style, view and whether there is colour', async t => {
  const monokai = await onTerminal(t, { ENV: 'development', LOG_STYLE: 'monokai', LOG_VIEW: 'json' })
  if (monokai === undefined) return
  assert(monokai.includes('\x1b[38;5;197m"user"\x1b[39m'))
  const none = await onTerminal(t, { ENV: 'development', NO_COLOR: '1' })
  assert.doesNotMatch(none ?? '', escapeSign)
  assert.match(none ?? '', /\n {2}user: \{ id: 7 \}\n/)
  const unknown = await onTerminal(t, { ENV: 'development', LOG_STYLE: 'friendly' })
  assert.equal(unknown?.split('friendly').length, 2)
})

test('FA-11 FA-29 in testing and production a terminal shows one object a line', async t => {
  for (const ENV of ['testing', 'production']) {
    const output = await onTerminal(t, { ENV })
    if (output === undefined) return
    isPlain(output)
  }
})

test('FA-11 FA-29 FA-56 a pipe has no colour unless it is forced, and plain lines but in development', async () => {
  const development = await piped({ ENV: 'development' })
  assert.doesNotMatch(development, escapeSign)
  assert.match(development, /\n {2}user: \{ id: 7 \}\n/)
  const forced = await piped({ ENV: 'development', FORCE_COLOR: '3' })
  assert(forced.includes('\x1b[38;5;114muser\x1b[39m'))
  for (const ENV of ['testing', 'production']) isPlain(await piped({ ENV, FORCE_COLOR: '3' }))
})

/** Each line is one object, and nothing in them drives a terminal. */
function isPlain(output: string): void {
  assert.doesNotMatch(output, escapeSign)
  const messages = output
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { message: string }).message)
  assert.equal(messages.length, 3)
  assert.equal(messages[0], 'hello')
}
