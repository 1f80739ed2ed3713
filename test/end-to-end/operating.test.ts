import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { readExposition } from '../metrics/exposition.ts'
import { command, ledgerEnv, run, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

const key = `deed_live_${'a'.repeat(43)}`
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
const body = JSON.stringify({
  payload: '{}',
  meta: { type: 'info', event_name: 'order.paid', service: 'shop' },
})

async function statusOf(url: string, path: string): Promise<number> {
  const response = await fetch(url + path, { headers: { connection: 'close' } })
  await response.text()
  return response.status
}

test('ruling 28 gap 17 after SIGTERM the ledger says that it is not ready, takes what comes, and then ends', async t => {
  const ledger = await startLedger(t, tempFolder(t), {
    DEEDBOX_BOOTSTRAP_KEY: key,
    DEEDBOX_DRAIN_DELAY: '600s',
  })
  const { url, child } = ledger
  assert.equal(await statusOf(url, '/__readiness__'), 200)
  const tail = await fetch(`${url}/v1/events/stream`, { headers })
  const seen = (async () => {
    let text = ''
    for await (const piece of tail.body!.pipeThrough(new TextDecoderStream())) text += piece
    return text
  })()
  child.kill('SIGTERM')
  while ((await statusOf(url, '/__readiness__')) !== 500);
  assert.equal(await statusOf(url, '/__heartbeat__'), 500)
  assert.equal(await statusOf(url, '/__lbheartbeat__'), 200)
  const stored = await fetch(`${url}/v1/events`, { method: 'POST', headers, body })
  assert.equal(stored.status, 202)
  const { tx_id } = (await stored.json()) as { tx_id: string }
  const gone = once(child, 'exit')
  // Too soon after the first it is the first once more: the one that counts is whichever is late enough.
  const impatience = setInterval(() => child.kill('SIGTERM'), 400)
  t.after(() => clearInterval(impatience))
  assert((await seen).includes(tx_id), 'the tail shows what was stored last, and then ends')
  clearInterval(impatience)
  assert.deepEqual(await gone, [0, null])
})

test('gap 17 what waits for another process on the file when a signal comes, twice, is answered before the ledger ends', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: key })
  const { url, child } = ledger
  const other = new DatabaseSync(join(folder, 'data', 'ledger.db'))
  t.after(() => other.close())
  other.exec('BEGIN EXCLUSIVE')
  const answer = fetch(`${url}/v1/events`, { method: 'POST', headers, body })
  const queued = async (): Promise<number> => {
    const response = await fetch(`${url}/metrics`, { headers: { ...headers, connection: 'close' } })
    return readExposition(await response.text()).value('deedbox_ledger_queued', { ledger: 'main' })
  }
  while ((await queued()) === 0);
  const dawdler = connect(Number(new URL(url).port), '127.0.0.1')
  dawdler.on('error', () => {})
  dawdler.write(`POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`)
  dawdler.write('Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n')
  await once(dawdler, 'data')
  const gone = once(child, 'exit')
  for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM'] as const) child.kill(signal)
  // What a parent passes on comes a moment later.
  while (!`${ledger.stdout()}${ledger.stderr()}`.includes('draining')) await setTimeout(10)
  child.kill('SIGINT')
  await once(dawdler, 'close')
  other.exec('ROLLBACK')
  const { status, headers: told } = await answer
  assert.deepEqual([status, told.get('connection')], [202, 'close'])
  assert.deepEqual(await gone, [0, null])
})

test('DF-02 DF-03 DF-05 the version is that of the image, and the variable wins', async t => {
  const folder = tempFolder(t)
  const built = {
    source: 'https://example.com/deedbox',
    version: '1.2.3',
    commit: 'c0ffee',
    build: 'https://ci/17',
  }
  writeFileSync(join(folder, 'version.json'), JSON.stringify(built))
  const told = async (more: Record<string, string>): Promise<unknown> => {
    const ledger = await startLedger(t, folder, { APP_DIR: folder, ...more })
    const version = await (await fetch(`${ledger.url}/__version__`)).json()
    await stopLedger(ledger)
    return version
  }
  assert.deepEqual(await told({}), built)
  assert.deepEqual(await told({ DOCKERFLOW_VERSION: '1.2.4' }), { ...built, version: '1.2.4' })
})

test('gap 13 /metrics of deedbox serve takes the token of the operator, and says what to install', async t => {
  const folder = tempFolder(t)
  const token = 'a-token-for-prometheus'
  const asked = (url: string) =>
    fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}`, connection: 'close' } })
  const env = { DEEDBOX_METRICS_TOKEN: token }
  const ledger = await startLedger(t, folder, env)
  assert.equal(await statusOf(ledger.url, '/metrics'), 401)
  readExposition(await (await asked(ledger.url)).text())
  await stopLedger(ledger)
  const hooks =
    "import { registerHooks } from 'node:module'\n" +
    "registerHooks({ resolve(name, context, next) { if (name === 'prom-client') throw new Error('none'); return next(name, context) } })"
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hooks)}`
  const without = await startLedger(t, folder, { ...env, NODE_OPTIONS })
  assert.equal(await statusOf(without.url, '/metrics'), 401)
  const refused = await asked(without.url)
  assert.equal(refused.status, 501)
  const { reason, message } = (await refused.json()) as { reason: string; message: string }
  assert.equal(reason, 'metrics_missing')
  assert.match(message, /npm i prom-client/)
})

test('gap 13 deedbox serve says what is set wrongly before it makes anything, and takes yes for 1', async t => {
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['DEEDBOX_HEALTH_TOKEN', 'short', /DEEDBOX_HEALTH_TOKEN has to be at least 16 visible ASCII characters/],
    ['DEEDBOX_METRICS_TOKEN', 'short', /DEEDBOX_METRICS_TOKEN has to be at least 16/],
    ['DEEDBOX_PUBLIC_METRICS', 'everybody', /DEEDBOX_PUBLIC_METRICS is 1 or 0, true or false, yes or no/],
    ['DEEDBOX_PUBLIC_LOG', 'always', /DEEDBOX_PUBLIC_LOG is 1 or 0, true or false, yes or no/],
    ['LOG_LEVEL', 'LOUD', /LOG_LEVEL/],
  ]
  for (const [name, value, said] of wrong) {
    const folder = tempFolder(t)
    const { code, stderr } = await run(process.execPath, [command, 'serve'], {
      env: ledgerEnv(folder, { [name]: value }),
    })
    assert.notEqual(code, 0, name)
    assert.match(stderr, said)
    assert.deepEqual(readdirSync(folder), [], name)
  }
  const ledger = await startLedger(t, tempFolder(t), { DEEDBOX_PUBLIC_METRICS: 'yes' })
  assert.equal(await statusOf(ledger.url, '/metrics'), 200)
  const help = (await run(process.execPath, [command, 'serve', '--help'])).stdout
  for (const name of ['DEEDBOX_HEALTH_TOKEN', 'DEEDBOX_SOURCE', 'DEEDBOX_COMMIT', 'DEEDBOX_BUILD'])
    assert(help.includes(name), name)
})
