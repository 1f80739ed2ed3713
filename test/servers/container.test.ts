import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { containerArgs, ownerOf } from './container.ts'
import type { DockerStandIn } from './docker-stand-in.ts'
import { influxdb } from './influxdb.ts'
import { installationOf } from './installation.ts'
import { listens } from './listens.ts'
import { guardedMariadb, mariadb } from './mariadb.ts'
import { mongod } from './mongodb.ts'
import { guardedPostgres, postgres } from './postgres.ts'
import { redisServer } from './redis.ts'
import { type RunningServer, startServer } from './running-server.ts'
import type { Installation, ServerKind } from './server-kind.ts'

// No daemon has ever answered these tests: the program `docker` is a stand-in of our own.
const folder = mkdtempSync(join(tmpdir(), 'deedbox-docker-'))
after(() => rmSync(folder, { recursive: true, force: true }))
chmodSync(folder, 0o755)
const docker = join(folder, 'docker')
const file = join(import.meta.dirname, 'docker-stand-in.ts')
writeFileSync(docker, `#!/bin/sh\nexec '${process.execPath}' '${file}' "$@"\n`, { mode: 0o755 })
process.env.PATH = `${folder}:${process.env.PATH}`
const programs = { 'no-such-server': process.execPath }
let told: DockerStandIn = { folder, programs }
tell({})

function tell(more: Partial<DockerStandIn>): void {
  told = { folder, programs, ...more }
  process.env.DOCKER_STAND_IN = JSON.stringify(told)
}

function calls(): string[][] {
  const lines = existsSync(join(folder, 'calls'))
    ? readFileSync(join(folder, 'calls'), 'utf8').split('\n')
    : []
  return lines.filter(Boolean).map(line => JSON.parse(line) as string[])
}

const containers = (): string[] => readdirSync(join(folder, 'containers'))

/** A server that only an image has: a program of Node. It keeps what it was started with. */
const imaged: ServerKind = {
  name: 'Imaged',
  program: 'no-such-server',
  folders: [],
  packages: [],
  image: { name: 'imaged:1.2.3' },
  refusesRoot: false,
  end: 'SIGKILL',
  halt: 'SIGTERM',
  ready: /ready/,
  prepare: () => {},
  args: ({ port }) => [
    '-e',
    `require('node:fs').appendFileSync('starts', 'x')
    require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log('ready'))
    process.on('SIGTERM', () => { require('node:fs').appendFileSync('starts', 't'); process.exit() })`,
  ],
}

test('a server runs in a container only where it is neither installed nor to be had as packages or source', () => {
  const before = calls().length
  assert.equal(installationOf({ ...imaged, program: 'sh' }).container, undefined)
  assert.equal(calls().length, before)
  const { container } = installationOf(imaged)
  assert.deepEqual(container, {
    docker,
    image: 'imaged:1.2.3',
    renamed: { 'no-such-server': 'no-such-server' },
  })
  const done = calls().slice(before)
  assert.deepEqual(
    done.map(([command]) => command),
    ['info', 'ps', 'image', 'pull'],
  )
  installationOf(imaged)
  assert(
    !calls()
      .slice(before + done.length)
      .some(([command]) => command === 'pull'),
  )
})

test('where docker does not answer, or cannot pull, a server is missing and says why', t => {
  t.after(() => tell({}))
  const other = { ...imaged, image: { name: 'other:1.2.3' } }
  tell({ hasNoRegistry: true })
  assert.throws(() => installationOf(other), {
    message: 'not installed, and docker could not pull other:1.2.3: manifest unknown',
  })
  tell({ isDown: true })
  assert.throws(() => installationOf(imaged), { message: 'not installed, and docker does not answer' })
})

test('each kind has an official image of exactly one version', () => {
  for (const { image } of [postgres, mariadb, redisServer(), influxdb(), mongod])
    assert.match(image?.name ?? '', /^[a-z]+:\d+\.\d+(\.\d+)?$/)
})

test('the command line of a container: removed by itself, our user, our folder, our own 127.0.0.1', () => {
  const args = containerArgs('redis:7.2.5', {
    program: 'redis-server',
    args: ['redis.conf'],
    folder: '/some/folder',
    identity: { uid: 12, gid: 34 },
    isServer: true,
  })
  assert.equal(
    args.join(' '),
    `run --rm --interactive --pull never --network host --label deedbox.tests=${ownerOf(process.pid)} --user 12:34 ` +
      `--volume /etc/passwd:/etc/passwd:ro --volume ${tmpdir()}:${tmpdir()} --workdir /some/folder ` +
      '--security-opt label=disable --cidfile /some/folder/container.id --entrypoint redis-server redis:7.2.5 redis.conf',
  )
})

test('a server in a container that is halted keeps its data; when it is stopped nothing is left', async () => {
  const server = await startServer(imaged, installationOf(imaged))
  assert.equal(containers().length, 1)
  assert(await listens(server.port))
  await server.halt()
  assert.deepEqual(containers(), [])
  assert(!(await listens(server.port)))
  await server.start()
  assert.equal(readFileSync(join(server.folder, 'starts'), 'utf8'), 'xtx')
  await server.stop()
  assert.deepEqual(containers(), [])
  assert(!existsSync(server.folder))
})

test('a container ends when it is told to, also if its keeper was killed, or the docker that ran it', async () => {
  const ends = [
    (server: RunningServer) => process.kill(server.keeper, 'SIGKILL'),
    (server: RunningServer) =>
      process.kill(Number(readFileSync(join(server.folder, 'server.pid'), 'utf8')), 'SIGKILL'),
  ]
  for (const end of ends) {
    const server = await startServer(imaged, installationOf(imaged))
    end(server)
    await server.stop()
    assert.deepEqual(containers(), [])
    await ended(server.port)
  }
})

test('a container ends with the tests that started it; with their keeper killed too, the next ones remove it', async t => {
  for (const isKeeperKilled of [false, true]) {
    const program = `
      import { installationOf } from ${JSON.stringify(join(import.meta.dirname, 'installation.ts'))}
      import { startServer } from ${JSON.stringify(join(import.meta.dirname, 'running-server.ts'))}
      const kind = { ...${JSON.stringify(imaged)}, ready: /ready/, prepare: () => {}, args: ${imaged.args.toString()} }
      const { port, keeper } = await startServer(kind, installationOf(kind))
      process.stdout.write(JSON.stringify([port, keeper]) + '\\n')
      setInterval(() => {}, 1_000)`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
    const [port, keeper] = JSON.parse(line) as [number, number]
    if (isKeeperKilled) process.kill(keeper, 'SIGKILL')
    child.kill('SIGKILL')
    await once(child, 'exit')
    if (isKeeperKilled) {
      assert.equal(containers().length, 1)
      installationOf(imaged)
      assert.deepEqual(containers(), [])
    }
    await ended(port)
  }
})

/** Nobody waits for a keeper whose tests are gone: it removes the container a moment after the server's end. */
async function ended(port: number): Promise<void> {
  const last = performance.now() + 60_000
  for (let left = containers(); left.length > 0 || (await listens(port)); left = containers()) {
    if (performance.now() > last) assert.fail(`still there: ${left.join(' ') || `a server at ${port}`}`)
    await setTimeout(10)
  }
}

test('what is left over by tests of another machine, container or boot is theirs, also where their number is free here', () => {
  const own = ownerOf(process.pid).split('/')
  const [host, boot, namespace, pid, start] = own
  const gone = String(2 ** 30)
  const others = [
    `elsewhere/${boot}/${namespace}/${gone}/1`,
    `${host}/another-boot/${namespace}/${gone}/1`,
    `${host}/${boot}/pid:[1]/${gone}/1`,
    own.join('/'),
    gone,
  ]
  const left = [`${host}/${boot}/${namespace}/${gone}/1`, `${host}/${boot}/${namespace}/${pid}/${start}0`]
  const files = [...others, ...left].map((owner, n) => {
    const name = `left-${n}`
    // The stand-in kills what it removes: this is the number of no process.
    const running = { pid: 2 ** 30, label: `deedbox.tests=${owner}` }
    writeFileSync(join(folder, 'containers', name), JSON.stringify(running))
    return name
  })
  installationOf(imaged)
  assert.deepEqual(containers().sort(), files.slice(0, others.length))
  for (const name of containers()) rmSync(join(folder, 'containers', name))
})

for (const kind of [guardedPostgres(() => {}), guardedMariadb(() => {}), redisServer({ password: 'p' })]) {
  const native = programsOf(kind)
  test(`${kind.name} is prepared and started by the same lines in a container`, {
    skip: native === undefined && 'its programs are not here',
  }, async t => {
    const { bin, root, env } = native!
    t.after(() => tell({}))
    tell({
      programs: Object.fromEntries(readdirSync(bin).map(name => [name, join(bin, name)])),
    })
    const { container } = installationOf({ ...kind, program: 'no-such-server', packages: [] })
    const { DOCKER_STAND_IN, PATH } = process.env
    const inside = { bin: '', root, env: { ...env, DOCKER_STAND_IN, PATH }, container: container! }
    const server = await startServer(kind, inside)
    assert(await listens(server.port))
    await server.halt()
    await server.start()
    await server.stop()
    assert.deepEqual(containers(), [])
    assert(!existsSync(server.folder))
  })
}

function programsOf(kind: ServerKind): Installation | undefined {
  try {
    const { image, ...others } = kind
    return installationOf(others)
  } catch {
    return undefined
  }
}
