import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { deedbox as aService, type Deedbox } from '../../packages/deedbox/src/index.ts'
import { type Internals, internalsKey } from '../../packages/deedbox/src/internals.ts'
import { openTestLedger } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { deedbox, ledgerEnv, root, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

type View = Record<string, unknown>

const quiet = { sink: { write: () => undefined } }

async function aKey(folder: string): Promise<string> {
  const args = ['keys', 'create', '--name', 'svc', '--scopes', 'write,read']
  return (await deedbox(args, { env: ledgerEnv(folder) })).stdout.trim()
}

async function producersAt(url: string, key: string, query = ''): Promise<View[]> {
  const response = await fetch(`${url}/v1/producers${query}`, { headers: { authorization: `Bearer ${key}` } })
  const answer = (await response.json()) as { producers: View[] }
  return answer.producers
}

function aBox(t: TestContext, url: string, apiKey: string, audit: object = {}): Deedbox {
  const ledger = { url, apiKey }
  const box = aService({ service: 'shop', env: 'test', ledger, audit, log: quiet, flushOnSignal: false })
  t.after(() => box.close(0))
  return box
}

const summary = ({ state, high_water, missing, gaps }: View) => [state, high_water, missing, gaps]

test('DESIGN 3 what a full queue drops shows as exactly that gap, and a service started anew is another producer', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const key = await aKey(folder)
  const box = aBox(t, ledger.url, key, { capacity: 3, durability: 'memory' })
  for (let i = 0; i < 10; i++) box.run({ name: 'job' }, () => box.event('job.done'))
  await box.flush()
  await box.send('after', {})
  assert.equal(box.stats().audit.dropped, 7)
  await box.close()
  const again = aBox(t, ledger.url, key)
  await again.send('one', {})
  await again.close()
  const shown = await producersAt(ledger.url, key)
  assert.deepEqual(shown.map(summary), [
    ['ended', 1, 0, []],
    ['ended', 11, 7, [{ from: 4, to: 10 }]],
  ])
  assert.deepEqual(
    shown.map(({ id, service, env, pid }) => [id, service, env, pid]),
    [again, box].map(({ stats }) => [stats().producer.id, 'shop', 'test', process.pid]),
  )

  const env = { ...ledgerEnv(folder), DEEDBOX_API_KEY: key }
  for (const place of [
    ['--data', join(folder, 'data')],
    ['--url', ledger.url],
  ]) {
    const listed = await deedbox(['producers', ...place], { env })
    assert.equal(listed.code, 0, listed.stderr)
    assert.deepEqual(
      listed.stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
      shown,
    )
    const checked = await deedbox(['producers', '--check', ...place], { env })
    assert.equal(checked.code, 1)
    assert.match(
      checked.stderr,
      /2 producers: 0 live, 0 silent, 2 ended, 0 crashed; 7 of their events never came/,
    )
    const fine = await deedbox(['producers', '--check', '--state', 'crashed', ...place], { env })
    assert.deepEqual([fine.code, fine.stdout], [0, ''])
  }
  const wrong = await deedbox(['producers', '--state', 'odd'], { env })
  assert.equal(wrong.code, 2)
  assert.match((await deedbox(['producers', '--help'])).stdout, /What is proved/)
  assert.equal(await stopLedger(ledger), 0)
})

test('DESIGN 3 a ledger that was down and is back has every number, and what an instance gave up is a gap', async t => {
  const folder = tempFolder(t)
  const first = await startLedger(t, folder)
  const key = await aKey(folder)
  const port = new URL(first.url).port
  const box = aBox(t, first.url, key, { backoff: { base: 1, cap: 50 } })
  await box.send('one', {})
  assert.equal(await stopLedger(first, 'SIGKILL'), 'SIGKILL')
  for (let i = 0; i < 3; i++) box.run({ name: 'job' }, () => box.event('job.done'))
  const lost = aBox(t, first.url, key, { backoff: { base: 1, cap: 50 }, durability: 'memory' })
  for (let i = 0; i < 2; i++) lost.run({ name: 'job' }, () => lost.event('job.done'))
  assert.equal(await lost.close(50), false)
  const second = await startLedger(t, folder, { PORT: port })
  assert.equal(await box.flush(20_000), true)
  await box.close()
  const shown = await producersAt(second.url, key)
  assert.deepEqual(shown.map(summary), [['ended', 4, 0, []]])
})

/** Runs a service of these lines, with an instance `box`, to its end. */
async function runService(
  folder: string,
  url: string,
  key: string,
  options: string,
  lines: string,
): Promise<unknown> {
  const script = join(folder, 'service.ts')
  const sources = pathToFileURL(join(root, 'packages', 'deedbox', 'src', 'index.ts')).href
  writeFileSync(
    script,
    `import { deedbox } from ${JSON.stringify(sources)}
const box = deedbox({ ${options}, log: { sink: { write: () => undefined } } })
${lines}
`,
  )
  const child = spawn(process.execPath, ['--conditions=@deedbox/source', script], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...ledgerEnv(folder), DEEDBOX_URL: url, DEEDBOX_API_KEY: key },
  })
  return (await once(child, 'exit')).find(how => how !== null)
}

test('DESIGN 3 a process that runs out of work, is told to end or ends by an error says its last number', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const key = await aKey(folder)
  const send = "await box.send('one', {})\nbox.run({ name: 'job' }, () => box.event('job.done'))\n"
  const endings = [
    ["service: 'script'", '', 0, 'ended'],
    ["service: 'told'", 'setInterval(() => undefined, 1_000)\nprocess.kill(process.pid)', 'SIGTERM', 'ended'],
    ["service: 'broken', processErrors: 'adopt'", "throw new Error('oh')", 1, 'crashed'],
  ] as const
  for (const [options, end, how, state] of endings) {
    assert.equal(await runService(folder, ledger.url, key, options, send + end), how)
    const [shown] = await producersAt(ledger.url, key)
    assert(options.includes(String(shown?.service)))
    assert.deepEqual(summary(shown ?? {}), [state, 2, 0, []])
  }
})

test('DESIGN 3 after kill -9 the gap below the last number that came is there, and whoever finds the rest tells how far it went', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const key = await aKey(folder)
  const lines = `await box.send('one', {})
await box.send('two', {})
for (let i = 0; i < 3; i++) box.run({ name: 'job' }, () => box.event('job.done'))
process.kill(process.pid, 'SIGKILL')`
  assert.equal(await runService(folder, ledger.url, key, "service: 'killed'", lines), 'SIGKILL')
  const [killed] = await producersAt(ledger.url, key, '?service=killed')
  assert.deepEqual(summary(killed ?? {}), ['live', 2, 0, []])

  const finder = aBox(t, ledger.url, key)
  const { auditor } = (finder as Deedbox & { readonly [internalsKey]: Internals })[internalsKey]
  await auditor.announceCrashed({ producerId: String(killed?.id), highWater: 5, events: 3 })
  const [known] = await producersAt(ledger.url, key, '?state=crashed')
  assert.deepEqual(summary(known ?? {}), ['crashed', 5, 3, [{ from: 3, to: 5 }]])
  assert.equal(known?.id, killed?.id)
})

test('DESIGN 3 a ledger opened in the same process knows its producers too', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  const box = aService({ service: 'inside', env: 'test', ledger, log: quiet, flushOnSignal: false })
  await box.send('one', {})
  await box.close()
  const { producers } = ledger.producers()
  assert.deepEqual(
    producers.map(({ id, principal, service, state, high_water, missing }) => [
      ...[id, principal, service, state, high_water, missing],
    ]),
    [[box.stats().producer.id, 'in-process', 'inside', 'ended', 1, 0]],
  )
})
