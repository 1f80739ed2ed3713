import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../end-to-end/ledger-process.ts'
import { buildImage, cannotEnter, runImage, signalImage } from './built-image.ts'

const dockerfile = 'examples/express-service/from-repository.Dockerfile'

test('X-13 compose.yaml builds the shop from this repository alone, and with or without a key it runs', {
  skip: cannotEnter(),
  timeout: 240_000,
}, async t => {
  const compose = readFileSync(join(root, 'compose.yaml'), 'utf8')
  assert(compose.includes(`      context: .\n      dockerfile: ${dockerfile}\n`))
  const kept = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  for (const name of ['package.json', 'server.ts']) assert(kept.includes(`!examples/express-service/${name}`))
  const built = await buildImage(t, {}, dockerfile)
  if (built === undefined) return
  const app = join(built.folder, 'app')
  assert(existsSync(join(app, 'node_modules', 'deedbox', 'dist')), 'its own packages, not the registry')
  const modules = readdirSync(join(app, 'node_modules'))
  for (const name of ['typescript', '@biomejs', 'pg']) assert(!modules.includes(name), name)

  // As Compose sets them where DEEDBOX_API_KEY has no value.
  const [, url] = /DEEDBOX_URL: (\S+)/.exec(compose) ?? []
  assert.equal(url, `\${DEEDBOX_API_KEY:+http://ledger:8000}`)
  const keyless = { DEEDBOX_URL: '', DEEDBOX_API_KEY: '' }
  const keyed = { DEEDBOX_URL: 'http://127.0.0.1:9', DEEDBOX_API_KEY: 'k'.repeat(64) }
  for (const settings of [keyless, keyed]) {
    const child = runImage(t, built, { ...settings, PORT: '0' })
    let said = ''
    const listens = Promise.withResolvers<void>()
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (said.includes('"message":"listening"')) listens.resolve()
      })
    }
    const ended = once(child, 'exit')
    await Promise.race([listens.promise, ended])
    assert.equal(child.exitCode, null, said)
    const [, port] = /"port":(\d+)/.exec(said) ?? []
    const order = await fetch(`http://127.0.0.1:${port}/orders/42`)
    assert.equal(order.status, 200)
    await order.text()
    assert.equal(said.includes('"notice":"no_ledger"'), settings === keyless, said)
    assert.doesNotMatch(said, /EROFS|EACCES|Read-only|read-only/)
    signalImage(child, 'SIGTERM')
    assert.deepEqual(await ended, [0, null], said)
  }
})
