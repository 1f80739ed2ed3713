import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Child, startChild } from './testing/ledger-child.ts'
import { aLedger } from './testing/ledger-events.ts'
import { keepAll, type LedgerStandIn } from './testing/ledger-stand-in.ts'

/** A fixture as a process of its own, which sends to a stand-in ledger that keeps everything. */
async function child(
  t: TestContext,
  fixture: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ ledger: LedgerStandIn; running: Child }> {
  const ledger = await aLedger(t, keepAll)
  const running = startChild(fixture, { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: 'test-key', ...variables })
  return { ledger, running }
}

function linesOf(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

function requestLines(output: string): Record<string, unknown>[] {
  return linesOf(output).filter(line => line.message === 'log request')
}

function names(ledger: LedgerStandIn): unknown[] {
  return [...ledger.stored.values()].map(({ meta }) => meta.event_name)
}

for (const [how, event, title] of [
  ['awaited', 'script.done', 'sends one event and returns'],
  ['unawaited', 'script.done', 'sends one event without waiting for it'],
  ['job', 'job.done', 'names an event in a job'],
] as const) {
  test(`IP-02 a script that ${title} ends by itself, with the event delivered`, async t => {
    const { ledger, running } = await child(t, 'ledger-send-once.ts', { HOW: how })
    assert.deepEqual(await running.ended, { code: 0, signal: null })
    assert.deepEqual(names(ledger), [event])
  })
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`IF-37 ${signal} after 100 requests: 100 events, 100 lines, and the process ends by the signal`, async t => {
    const { ledger, running } = await child(t, 'ledger-serve.ts')
    await running.said('answered')
    running.process.kill(signal)
    assert.deepEqual(await running.ended, { code: null, signal })
    assert.equal(ledger.stored.size, 100)
    assert.equal(requestLines(running.output()).length, 100)
  })
}

test('IF-37 a service with a handler of its own decides how it ends, and closing the instance delivers', async t => {
  const { ledger, running } = await child(t, 'ledger-serve.ts', { HANDLER: 'drain' })
  await running.said('answered')
  running.process.kill('SIGTERM')
  assert.deepEqual(await running.ended, { code: 0, signal: null })
  assert.match(running.output(), /^drained$/m)
  assert.equal(ledger.stored.size, 100)
})

test('IF-37 a handler that raises the signal again when it is done, as Nest does, loses nothing', async t => {
  const { ledger, running } = await child(t, 'ledger-serve.ts', { HANDLER: 'again' })
  await running.said('answered')
  running.process.kill('SIGTERM')
  assert.deepEqual(await running.ended, { code: null, signal: 'SIGTERM' })
  assert.equal(ledger.stored.size, 100)
})

test('IF-37 a handler that exits at once keeps its code and every line', async t => {
  const { running } = await child(t, 'ledger-serve.ts', { HANDLER: 'exit' })
  await running.said('answered')
  running.process.kill('SIGTERM')
  assert.deepEqual(await running.ended, { code: 7, signal: null })
  assert.equal(requestLines(running.output()).length, 100)
})

test('IF-37 ruling 3: two copies of this package do not take each other for the service’s handler', async t => {
  const { ledger, running } = await child(t, 'ledger-serve.ts', { COPIES: '2' })
  await running.said('answered')
  running.process.kill('SIGTERM')
  assert.deepEqual(await running.ended, { code: null, signal: 'SIGTERM' })
  assert.equal(ledger.stored.size, 101)
  assert(names(ledger).includes('copy.job'))
})

test('IF-37 process.exit() keeps its code and every line, and says how many events it left', async t => {
  const { running } = await child(t, 'dying-process.ts', { HOW: 'exit' })
  assert.deepEqual(await running.ended, { code: 7, signal: null })
  assert.equal(requestLines(running.output()).length, 10)
  const notice = linesOf(running.output()).find(line => line.notice === 'audit_spooled')
  assert.deepEqual([notice?.level, notice?.spooled], ['WARNING', 10])
})

for (const [how, error] of [
  ['throw', 'nobody catches this'],
  ['reject', 'nobody awaits this'],
] as const) {
  test(`FA-25 IF-35 an exception that ends the process (${how}) still does, and its request has its line`, async t => {
    const { running } = await child(t, 'dying-process.ts', { HOW: how })
    assert.deepEqual(await running.ended, { code: 1, signal: null })
    assert.match(
      running.output(),
      new RegExp(`Error: ${error}[^]*Node\\.js v`),
      'Node prints what it always does',
    )
    const failed = linesOf(running.output()).filter(line => line.message === 'Unhandled exception')
    assert.deepEqual(
      failed.map(line => [line.status_code, line.level, line.path_with_query]),
      [[500, 'ERROR', '/dies']],
    )
    assert.match(String(failed[0]?.exception), new RegExp(error))
  })
}
