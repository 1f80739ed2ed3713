import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readDockerfile } from '../../packages/deedbox/src/commands/check-dockerfile.ts'
import { deedbox, root } from '../end-to-end/ledger-process.ts'
import { buildImage, cannotEnter, runImage, runInImage, signalImage } from './built-image.ts'

const build = {
  SOURCE: 'https://github.com/acme/ledger',
  VERSION: 'v1.2.0',
  COMMIT: 'c636845f00c636845f00c636845f00c636845f00',
  BUILD: 'https://ci.example/7',
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

/** The command of the image's health check, as it is written. */
function healthCheck(): string[] {
  const { stages } = readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
  const check = stages.at(-1)?.instructions.find(({ name }) => name === 'HEALTHCHECK')
  return JSON.parse(check?.text.replace(/^CMD\s+/, '') ?? '[]') as string[]
}

test('DF-60 DF-61 DF-62 DF-63 DF-64 X-13 FA-63 the image runs as app with a read-only root, and passes the check', {
  skip: cannotEnter(),
  timeout: 240_000,
}, async t => {
  const built = await buildImage(t, build)
  if (built === undefined) return
  const { folder } = built
  assert.match(readFileSync(join(folder, 'etc', 'passwd'), 'utf8'), /^app:x:10001:10001:/m)
  const data = statSync(join(folder, 'data'))
  assert.deepEqual([data.uid, data.gid, data.mode & 0o777], [10_001, 10_001, 0o700])
  const modules = readdirSync(join(folder, 'app', 'node_modules'))
  assert(modules.includes('fastify') && modules.includes('deedbox'))
  for (const name of ['typescript', '@biomejs', 'pg', 'express']) assert(!modules.includes(name), name)
  assert.equal(existsSync(join(folder, 'app', 'packages', 'ledger', 'src')), false)
  const versionObject = {
    source: build.SOURCE,
    version: build.VERSION,
    commit: build.COMMIT,
    build: build.BUILD,
  }
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'app', 'version.json'), 'utf8')), versionObject)

  const port = String(await freePort())
  const settings = { PORT: port, DEEDBOX_PUBLIC_METRICS: '1' }
  const who = await runInImage(built, settings, [
    'sh',
    '-c',
    'id -u; id -g; touch /app/x || touch /etc/x; touch /tmp/x',
  ])
  assert.match(who.said, /^10001\n10001\n(.*Read-only file system\n){2}$/)
  assert.equal(who.code, 0)
  assert.equal((await runInImage(built, settings, healthCheck())).code, 1, 'nothing listens yet')

  for (const start of ['first', 'second'] as const) {
    const child = runImage(t, built, settings)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    }
    const ended = once(child, 'exit')
    while (!/without trusting it\.\n/.test(said)) {
      await Promise.race([once(child.stdout!, 'data'), ended])
      assert.equal(child.exitCode, null, said)
    }
    assert.match(said, /address +http:/)
    assert.equal(/deed_live_/.test(said), start === 'first', 'the second start finds key and data again')
    assert.doesNotMatch(said, /EROFS|EACCES|Read-only|read-only/)
    assert.equal((await runInImage(built, settings, healthCheck())).code, 0)
    const [version, metrics] = await Promise.all(
      ['/__version__', '/metrics'].map(path => fetch(`http://127.0.0.1:${port}${path}`)),
    )
    assert.deepEqual(await version?.json(), versionObject)
    assert.equal(metrics?.status, 200, await metrics?.text())
    const { code, stdout, stderr } = await deedbox(['check', root, `http://127.0.0.1:${port}`])
    assert.equal(code, 0, stdout + stderr)
    assert.doesNotMatch(stdout, / FAIL | warn /)
    signalImage(child, 'SIGTERM')
    assert.deepEqual(await ended, [0, null], said)
  }
  assert.deepEqual(readdirSync(join(folder, 'data')).toSorted(), ['guard', 'ledger'])
  assert.equal(statSync(join(folder, 'data', 'ledger', 'ledger.db')).uid, 10_001)
})
