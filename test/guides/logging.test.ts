import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/logging.md')
const hello = page.fence('// hello.ts')
const calls = page.fence('// calls.ts')
const sinks = page.fence('// sinks.ts')
const orders = page.fence('// orders.test.ts')
const shown = page.fence('"message":"hello"')

type Line = Record<string, unknown>

/** Lines of a process, but our own remark that no ledger is set. */
function parsed(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Line)
    .filter(line => line.notice !== 'no_ledger')
}

test('sample 52 and 53, 57, 63 to 65, FA-02 FA-47 FA-48 FA-49, guide, the log: calls', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'hello.ts': hello, 'calls.ts': calls })
  const first = await run(process.execPath, [folder.runnable('hello.ts')], { env: cleanEnv({}) })
  assert.equal(first.stdout, '')
  const [line] = parsed(first.stderr)
  const [promised] = parsed(shown)
  assert.deepEqual(Object.keys(line ?? {}), Object.keys(promised ?? {}))
  assert.deepEqual({ ...line, timestamp: 0, source: 0 }, { ...promised, timestamp: 0, source: 0 })
  assert.match(String(line?.source), /^hello\.[jt]s:<anonymous>:\d+$/)

  const { stderr, code } = await run(process.execPath, [folder.runnable('calls.ts')], { env: cleanEnv({}) })
  assert.equal(code, 0, stderr)
  const seen = parsed(stderr)
  assert.deepEqual(
    seen.map(({ level, message, logger }) => [level, message, logger]),
    [
      ['SUCCESS', 'order paid', undefined],
      ['ERROR', 'payment failed', undefined],
      ['ERROR', 'payment failed', undefined],
      ['NOTICE', 'a level of your own', undefined],
      ['WARNING', 'slow query', 'db'],
      ['ERROR', 'not JSON', undefined],
      ['INFO', 'inside', undefined],
      ['INFO', 'patched', undefined],
      ['INFO', 'wrapped', undefined],
    ],
  )
  for (const at of [1, 2]) {
    assert.match(String(seen[at]?.exception), /^Error: card declined\n/)
    assert.equal(seen[at]?.order, 7)
  }
  assert.match(String(seen[5]?.exception), /^SyntaxError: /)
  assert.deepEqual([seen[4]?.pool, seen[6]?.tenant, seen[7]?.host], ['main', 't1', 'web-1'])
})

test('sample 54 and 55, FA-46 FA-50, guide, the log: sinks', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'sinks.ts': sinks })
  const { stdout, stderr, code } = await run(process.execPath, [folder.runnable('sinks.ts')], {
    env: cleanEnv({}),
  })
  assert.equal(code, 0, stderr)
  const out = stdout.trimEnd().split('\n')
  assert.deepEqual(out.slice(-1), ['2 kept'])
  assert.ok(out.includes('INFO: open'))
  const messages = out.filter(line => line.startsWith('{')).map(line => (JSON.parse(line) as Line).message)
  assert.deepEqual(messages.slice(-3), ['no connection', 'open', 'twice'])
  assert.deepEqual(
    parsed(stderr)
      .map(line => (line.Fields as Line).msg)
      .slice(-1),
    ['no connection'],
  )
})

test('sample 71 and 72, FA-34 FA-36, guide, the log: tests', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'orders.test.ts': orders })
  const { stdout, code } = await run(process.execPath, ['--test', folder.runnable('orders.test.ts')], {
    env: cleanEnv({}),
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /pass 1\b/)
})

everyBlockIsTested(page)
