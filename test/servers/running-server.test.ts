import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { listens } from './listens.ts'
import { mariadb } from './mariadb.ts'
import { serverFor, startServer } from './running-server.ts'
import type { Installation, ServerKind } from './server-kind.ts'

const found = await serverFor(mariadb)

/** Runs a test file of its own, as Node does by itself. */
function aTestFile(t: TestContext, source: string, more: NodeJS.ProcessEnv) {
  const { NODE_TEST_CONTEXT, DEEDBOX_REQUIRE_SERVERS, ...env } = process.env
  const program = `
    import { serverFor } from ${JSON.stringify(join(import.meta.dirname, 'running-server.ts'))}
    import { mariadb } from ${JSON.stringify(join(import.meta.dirname, 'mariadb.ts'))}
    ${source}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    env: { ...env, ...more },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('a server that cannot be had is a reason to skip, told once; where servers are required, an error', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-skips-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const list = join(folder, 'servers')
  const source = `
    const found = await serverFor({ ...mariadb, name: 'NoSuchDB', program: 'no-such-server', packages: [], image: undefined })
    console.log(found.skip)`
  const skipping = aTestFile(t, source, { DEEDBOX_SKIPPED: list })
  assert.match(await text(skipping.stdout), /^NoSuchDB \(not installed\)\n/)
  assert.equal(readFileSync(list, 'utf8'), 'NoSuchDB (not installed)\n')
  const failing = aTestFile(t, source, { DEEDBOX_REQUIRE_SERVERS: '1' })
  const [said, [code]] = await Promise.all([text(failing.stderr), once(failing, 'exit')])
  assert.match(said, /There is no NoSuchDB \(not installed\)/)
  assert.notEqual(code, 0)
  const print = spawn(process.execPath, ['scripts/skipped-servers.js', list], {
    cwd: join(import.meta.dirname, '../..'),
  })
  assert.equal(await text(print.stdout), 'skipped servers (1): NoSuchDB (not installed)\n')
  assert(!existsSync(list))
})

test('a server that cannot be built says why, and another kind takes its place', {
  skip: found.skip,
}, async t => {
  const missing = `{
    ...mariadb,
    name: 'NoSuchDB',
    program: 'no-such-server',
    packages: [],
    source: { module: 'module.example/none', version: 'v1.0.0', package: './cmd/none' },
    image: undefined,
  }`
  const source = `
    const alone = await serverFor(${missing})
    const { server } = await serverFor(${missing}, mariadb)
    console.log(JSON.stringify([alone.skip, server.name]))`
  const child = aTestFile(t, source, { GOPROXY: 'off' })
  const [said] = (await text(child.stdout)).split('\n', 1)
  const [skip, name] = JSON.parse(String(said))
  assert.match(skip, /^NoSuchDB \(not installed, and (there is no Go|.*go could not build it)/)
  assert.equal(name, 'MariaDB')
})

test('a server ends with the process that started it, even if that is killed', {
  skip: found.skip,
}, async t => {
  const source = `
    const found = await serverFor(mariadb)
    process.stdout.write(String(found.server.port) + '\\n')
    setInterval(() => {}, 1_000)`
  const child = aTestFile(t, source, {})
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  assert(await listens(Number(port)))
  child.kill('SIGKILL')
  while (await listens(Number(port))) await setTimeout(10)
})

test('a server that is halted keeps its data, and takes connections on its port again', {
  skip: found.skip,
}, async () => {
  if (found.skip !== false) return
  const { server } = found
  const query = async (sql: string): Promise<unknown> => {
    const connection = await createConnection({ host: server.host, port: server.port, user: 'root' })
    try {
      return (await connection.query(sql))[0]
    } finally {
      connection.destroy()
    }
  }
  await query('CREATE DATABASE kept')
  await server.halt()
  assert(!(await listens(server.port)))
  await server.start()
  assert.deepEqual(await query("SHOW DATABASES LIKE 'kept'"), [{ 'Database (kept)': 'kept' }])
})

/** Runs a program of Node in place of a server, which no server can be had to do on command. */
function aProgram(source: string): [ServerKind, Installation] {
  const kind: ServerKind = {
    ...mariadb,
    name: 'Program',
    program: basename(process.execPath),
    halt: 'SIGKILL',
    ready: /ready/,
    prepare: () => {},
    args: ({ folder, port }) => ['-e', source, folder, String(port)],
  }
  return [kind, { bin: dirname(process.execPath), root: '/', env: process.env }]
}

const listening = `
  require('node:net').createServer().listen(process.argv[2], '127.0.0.1', () => console.log('ready'))`

test('a server ends when it is told to, also if its keeper was killed', async () => {
  for (const isHalted of [false, true]) {
    const server = await startServer(...aProgram(listening))
    process.kill(server.keeper, 'SIGKILL')
    if (isHalted) {
      await server.halt()
      assert(!(await listens(server.port)))
      await server.start()
      assert(await listens(server.port))
      process.kill(server.keeper, 'SIGKILL')
    }
    await server.stop()
    assert(!(await listens(server.port)))
    assert(!existsSync(server.folder))
    await server.stop()
  }
})

test('a server that is halted and then stopped leaves no folder', async () => {
  const server = await startServer(...aProgram(listening))
  await server.halt()
  assert(existsSync(server.folder))
  await server.stop()
  assert(!existsSync(server.folder))
})

test('a server that never takes connections is ended, and what it said is told', async () => {
  const source = `console.log(process.argv[1] + ' ' + process.pid + '.'); setInterval(() => {}, 1_000)`
  let said = ''
  // Time enough for it to say something, on a slow machine too.
  for (let deadline = 500; !said.includes('.'); deadline *= 2)
    await assert.rejects(startServer(...aProgram(source), deadline), (error: Error) => {
      said = error.message
      return /^Program took no connections within \d+ ms:/.test(said)
    })
  const [, folder = '', pid] = /\n(\S+) (\d+)\.$/m.exec(said) ?? assert.fail(said)
  assert(!existsSync(folder))
  assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' })
})
