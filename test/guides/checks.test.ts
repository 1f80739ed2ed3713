import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/checks.md')
const files = {
  'checks.ts': page.fence('// checks.ts'),
  'app.ts': page.fence('// app.ts'),
  'message.ts': page.fence('// message.ts'),
  'more.ts': page.fence('// more.ts'),
  'signals.ts': page.fence('// signals.ts'),
  /** What the page leaves to its reader: a storage whose health a variable decides. */
  'storage.ts': `
export class SlowConnection extends Error {}
export class StorageError extends Error {}
export const storage = {
  async ping({ signal }: { signal: AbortSignal }) {
    signal.throwIfAborted()
    if (process.env.STORAGE === 'slow') throw new SlowConnection('The storage is slow.')
    if (process.env.STORAGE === 'gone') throw new StorageError('The storage is gone.')
    if (process.env.STORAGE === 'broken') throw new TypeError('no storage')
  },
}
`,
  'serve.ts': `
import './signals.ts'
import { app } from './app.ts'
app.listen(0)
`,
}
const failed = JSON.parse(page.fence('"acme.health.0001": "The storage is gone."'))
const silenced = JSON.parse(page.fence('"silenced": 1'))
const printedMessage = page.fence('HINT: Look at the disk.')
const printedNames = page.fence("[ 'storageReachable', 'search', 'queue' ]")
const line = page.shown('"logger":"dockerflow.checks.registry"')

test('samples 92 and 95, DF-15 DF-16 DF-19 DF-21 DF-22 DF-29 DF-30 DF-31, guide, checks: what the page shows is so', async t => {
  const folder = await snippetFolder(t, 'express-5', files)
  const start = (env: Record<string, string>) =>
    startService(t, folder.runnable('serve.ts'), { cwd: folder.path, env })

  const gone = await start({ STORAGE: 'gone' })
  const answer = await gone.call('GET', '/__heartbeat__')
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [500, failed])
  const shown = await gone.when(lines => lines.some(({ logger }) => logger === line[0]?.logger))
  const said = shown.filter(({ logger }) => logger === line[0]?.logger)
  const kept = said.map(({ timestamp: _, request_id: __, source: ___, ...rest }) => rest)
  assert.deepEqual(kept, line)
  await gone.stop('SIGTERM')
  assert.equal(gone.stdout(), 'error 40 storageReachable\n')

  const slow = await start({ STORAGE: 'slow' })
  const warned = await slow.call('GET', '/__heartbeat__')
  assert.deepEqual([warned.status, JSON.parse(warned.body).checks.storageReachable], [200, 'warning'])
  await slow.stop('SIGTERM')
  assert.equal(slow.stdout(), 'passed\n')

  const broken = await start({ STORAGE: 'broken' })
  const body = JSON.parse((await broken.call('GET', '/__heartbeat__')).body)
  page.says("an error with the check's name (`deedbox.health.E104`)")
  assert.match(
    body.details.storageReachable.messages['deedbox.health.E104'],
    /check storageReachable failed: no storage/,
  )

  const quiet = await start({ STORAGE: 'gone', DEEDBOX_SILENCED_CHECKS: 'acme.health.0001,acme.health.0002' })
  const silent = await quiet.call('GET', '/__heartbeat__')
  assert.deepEqual([silent.status, JSON.parse(silent.body)], [200, silenced])

  const named = await start({ DEEDBOX_CHECKS: './message.ts,./gone.js' })
  const { checks } = JSON.parse((await named.call('GET', '/__heartbeat__')).body)
  assert.deepEqual(checks, { storageReachable: 'ok', './gone.js': 'error', check_log: 'ok' })
})

test('DF-15 DF-16 DF-18, guide, checks: messages and the registry print what the page says', async t => {
  const folder = await snippetFolder(t, 'express-5', files)
  const print = async (name: string): Promise<string> => {
    const { code, stdout, stderr } = await run(process.execPath, [folder.runnable(name)], {
      cwd: folder.path,
      env: cleanEnv(),
    })
    assert.equal(code, 0, stderr)
    return stdout
  }
  assert.equal(await print('message.ts'), printedMessage)
  assert.equal(await print('more.ts'), printedNames)
})

everyBlockIsTested(page)
