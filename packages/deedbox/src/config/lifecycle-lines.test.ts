import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'
import { type Child, startChild } from '../testing/ledger-child.ts'
import { integer, lifecycleLines, profileOf, readConfig, text } from './index.ts'

const variables = {
  ENV: 'testing',
  ACME_DATABASE_URL: 'postgres://app:hunter2@db/shop',
  ACME_PIN: '77777777',
  ACME_PROT: '80',
}

/** The messages of a process's log, in their order, but for the one about its ledger. */
function messages(child: Child): string[] {
  return child
    .output()
    .trimEnd()
    .split('\n')
    .map(line => (line.startsWith('{') ? JSON.parse(line).message : line))
    .filter(message => !message.startsWith('No ledger is configured'))
}

const start = ['config vars', 'ACME_PROT is read by nothing. Did you mean ACME_PORT?', 'started...']

test('FA-32 at start every variable at top level with its value, secrets masked; at stop one line', async () => {
  const environment = { ENV: 'testing', ACME_PORT: '80', ACME_API_KEY: 'hunter2', ACME_X: 'x' }
  const config = readConfig({ port: integer(), apiKey: text() }, { prefix: 'ACME_', environment })
  const { box, lines } = captureLog({ env: profileOf(config) })
  const life = lifecycleLines(box, config)
  life.started()
  life.stopped()
  life.stopped()
  const [vars, warning, ...others] = await lines()
  const { timestamp, source, ...shown } = vars ?? {}
  assert.deepEqual(shown, {
    level: 'DEBUG',
    message: 'config vars',
    ENV: 'testing',
    ACME_PORT: 80,
    ACME_API_KEY: '[redacted]',
  })
  assert.deepEqual([typeof timestamp, typeof source, warning?.level], ['string', 'string', 'WARNING'])
  assert.deepEqual(
    others.map(({ level, message }) => [level, message]),
    [
      ['INFO', 'started...'],
      ['INFO', '...shutdown'],
    ],
  )
})

test('FA-32 above DEBUG, and without a configuration, there are the two lines alone', async () => {
  const config = readConfig({}, { environment: {} })
  for (const given of [config, undefined]) {
    const { box, lines } = captureLog({ env: given === undefined ? 'testing' : 'production' })
    const life = lifecycleLines(box, given)
    life.started()
    life.stopped()
    assert.deepEqual(
      (await lines()).map(({ message }) => message),
      ['started...', '...shutdown'],
    )
  }
})

for (const [ending, code] of [
  ['naturally', 0],
  ['closed', 0],
  ['by-hand', 0],
  ['exit', 3],
] as const) {
  test(`FA-32 a process that ends ${ending} says so once, last`, async () => {
    const child = startChild('configured-process.ts', { ...variables, ENDING: ending })
    assert.deepEqual(await child.ended, { code, signal: null })
    assert.deepEqual(messages(child), [...start, '...shutdown'])
    assert(!/hunter2|77777777/.test(child.output()))
  })
}

test('FA-32 a process that dies of an error says so after the error', async () => {
  const child = startChild('configured-process.ts', { ...variables, ENDING: 'throw' })
  assert.equal((await child.ended).code, 1)
  const said = messages(child).filter(message => /^(Unhandled rejection|\.\.\.shutdown)$/.test(message))
  assert.deepEqual(said, ['Unhandled rejection', '...shutdown'])
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`FA-32 ${signal} ends a process by the signal, the last line written`, async () => {
    const child = startChild('configured-process.ts', { ...variables, ENDING: 'signal' })
    await child.said('ready')
    child.process.kill(signal)
    assert.deepEqual(await child.ended, { code: null, signal })
    assert.deepEqual(messages(child), [...start, 'ready', '...shutdown'])
  })
}

test("FA-32 a handler of the service's own decides: it may end the process, or live on", async () => {
  const ends = startChild('configured-process.ts', { ...variables, ENDING: 'handler' })
  await ends.said('ready')
  ends.process.kill('SIGTERM')
  assert.deepEqual(await ends.ended, { code: 7, signal: null })
  assert.deepEqual(messages(ends), [...start, 'ready', '...shutdown'])

  const lives = startChild('configured-process.ts', { ...variables, ENDING: 'reload' })
  await lives.said('ready')
  lives.process.kill('SIGTERM')
  await lives.said('reloaded')
  lives.process.kill('SIGTERM')
  assert.deepEqual(await lives.ended, { code: 0, signal: null })
  assert.deepEqual(messages(lives), [...start, 'ready', 'reloaded', '...shutdown'])
})
