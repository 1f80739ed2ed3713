import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/functions.md')
const audit = page.fence('// audit.ts')
const cards = page.fence('// cards.ts')
const main = page.fence('// main.ts')
const printed = page.fence('RangeError: card gift-7')
const automatic = page.fence('"message": "fn.cards.removeUser executed"')
const failed = page.fence('"message": "card.charge failed: RangeError"')
const rows = page.fence('// rows.ts')
const items = page.fence('"items": 3')
const block = page.fence('// block.ts')
const users = page.fence('// users.ts')

interface Seen {
  readonly meta: Record<string, unknown>
  readonly payload: Record<string, unknown>
}

/** The audit events in a log. */
function eventsIn(log: string): Seen[] {
  return log
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Seen & { type?: string })
    .filter(({ type }) => type === 'audit')
    .map(({ meta, payload }) => ({ meta, payload }))
}

/** What differs from run to run is told by its shape. */
function timeless(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value)
      .replaceAll(/"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"/g, '"<uuid>"')
      .replaceAll(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"/g, '"<instant>"')
      .replaceAll(/"latency_ms":\d+/g, '"latency_ms":0'),
  )
}

test('samples 23 to 29 and 31 to 33, IP-10 IP-11 IP-12 IP-13, guide, functions: what is printed and what is recorded', async t => {
  const folder = await snippetFolder(t, 'express-5', {
    'audit.ts': audit,
    'cards.ts': cards,
    'main.ts': main,
  })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('main.ts')], {
    env: cleanEnv(),
  })
  assert.deepEqual([code, stdout], [0, printed])
  const events = eventsIn(stderr)
  assert.deepEqual(
    events.map(({ meta }) => [meta.event_name, meta.type, meta.service]),
    [
      ['card.charge', 'success', 'pay'],
      ['invoice.made', 'success', 'billing'],
      ['fn.cards.removeUser', 'info', 'users'],
      ['card.charge', 'error', 'pay'],
    ],
  )
  assert.deepEqual(timeless(events.slice(2)), timeless([JSON.parse(automatic), JSON.parse(failed)]))
})

test('sample 27, IP-14, guide, functions: with a ledger that is down the program prints the same', async t => {
  const folder = await snippetFolder(t, 'express-5', {
    'audit.ts': audit,
    'cards.ts': cards,
    'main.ts': main,
  })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('main.ts')], {
    env: cleanEnv({ DEEDBOX_URL: 'http://127.0.0.1:9', DEEDBOX_API_KEY: 'deed_key' }),
  })
  assert.deepEqual([code, stdout], [0, printed])
  const notices = stderr
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { notice?: string }).notice)
  assert(notices.length > 0)
  assert.equal(new Set(notices).size, notices.length)
})

test('IP-15 IP-16 guide, functions: a generator in a job, its items and fields', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'audit.ts': audit, 'rows.ts': rows })
  const { code, stderr } = await run(process.execPath, [folder.runnable('rows.ts')], { env: cleanEnv() })
  assert.equal(code, 0, stderr)
  const [event, ...more] = eventsIn(stderr)
  assert.deepEqual(more, [])
  assert.equal(event?.meta.request_id, 'export-1')
  assert.deepEqual(timeless(event?.payload), timeless(JSON.parse(items)))
})

test('guide, functions: details of a call stand in meta', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'audit.ts': audit, 'block.ts': block })
  const { code, stderr } = await run(process.execPath, [folder.runnable('block.ts')], { env: cleanEnv() })
  assert.equal(code, 0, stderr)
  const [event] = eventsIn(stderr)
  assert.deepEqual(
    [event?.meta.event_name, event?.meta.actor, event?.meta.targets],
    ['user.block', { type: 'user', id: 'u_42' }, [{ type: 'user', id: '7' }]],
  )
})

for (const decorators of ['standard', true] as const) {
  test(`sample 34, IP-10, guide, functions: decorated methods, ${decorators === true ? 'experimental' : 'standard'}`, async t => {
    const files = { 'audit.ts': audit, 'users.ts': users }
    const folder = await snippetFolder(t, 'nest-11', files, { decorators })
    const { code, stderr } = await run(process.execPath, [folder.runnable('users.ts')], { env: cleanEnv() })
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      eventsIn(stderr).map(({ meta }) => [meta.event_name, meta.type]),
      [
        ['user.create', 'success'],
        ['fn.Users.remove', 'info'],
      ],
    )
  })
}

everyBlockIsTested(page)
