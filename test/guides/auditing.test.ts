import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { printedKey, run, startLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/auditing.md')
const orders = page.fence('// orders.ts')
const shownChanges = page.fence('"card.number"')
const settle = page.fence('// settle.ts')
const sendEvent = page.fence('// send-event.ts')
const prove = page.fence('// prove.ts')

const apiKey = `deed_live_${'g'.repeat(43)}`

/** A ledger, and the variables by which a script finds it. */
async function aLedger(t: TestContext) {
  const ledger = await startLedger(t, tempFolder(t), { DEEDBOX_BOOTSTRAP_KEY: apiKey })
  const env = cleanEnv({
    DEEDBOX_URL: ledger.url,
    DEEDBOX_API_KEY: apiKey,
    DEEDBOX_VERIFIER_KEY: printedKey(ledger),
  })
  const stored = async (): Promise<Record<string, unknown>[]> => {
    const headers = { Authorization: `Bearer ${apiKey}` }
    const response = await fetch(`${ledger.url}/v1/events?kind=event&order=asc`, { headers })
    const { events } = (await response.json()) as { events: Record<string, unknown>[] }
    return events
  }
  return { env, stored }
}

test('sample 7, IF-16 IF-25 guide, auditing: a name and details', async t => {
  const main = `import { deedbox } from 'deedbox'
import { pay } from './orders.ts'
const box = deedbox({ service: 'shop' })
box.run({ name: 'pay' }, () => pay({ status: 'open', total: 9, card: { number: '4242 4242 4242 4242' } }, 'u_1'))
`
  const folder = await snippetFolder(t, 'express-5', { 'orders.ts': orders, 'main.ts': main })
  const { env, stored } = await aLedger(t)
  const { code, stderr } = await run(process.execPath, [folder.runnable('main.ts')], { env })
  assert.equal(code, 0, stderr)
  const [{ meta } = {}] = await stored()
  const { actor, targets, reason, subject, event_name, changes, truncated } = Object(meta)
  assert.deepEqual(
    { actor, targets, reason, subject, event_name, truncated },
    {
      actor: { type: 'user', id: 'u_1' },
      targets: [{ type: 'order', id: 'o-17' }],
      reason: 'asked for by telephone',
      subject: 'customer-9',
      event_name: 'order.paid',
      truncated: undefined,
    },
  )
  assert.deepEqual(changes, JSON.parse(shownChanges))
})

test('sample 16 17 19 21, IP-02 IP-03 IP-09 guide, auditing: events of your own', async t => {
  const exiting = `${settle}process.exit(0)\n`
  const folder = await snippetFolder(t, 'express-5', {
    'settle.ts': settle,
    'exiting.ts': exiting,
    'send-event.ts': sendEvent,
  })
  const { env, stored } = await aLedger(t)
  for (const name of ['settle.ts', 'exiting.ts']) {
    const { code, stdout, stderr } = await run(process.execPath, [folder.runnable(name)], { env })
    assert.equal(code, 0, stderr)
    assert.match(
      stdout,
      /^accepted tx_\w+ [0-9a-f]{64}\n\[ 'payment.settled true', 'payment.refused true' \]\n$/,
    )
  }
  const bare = await run(process.execPath, [folder.runnable('send-event.ts')], { env })
  assert.match(bare.stdout, /^tx_\w+\n$/, bare.stderr)
  const events = (await stored()).map(({ meta }) => meta as Record<string, unknown>)
  assert.deepEqual(
    events.map(({ event_name, type, service }) => [event_name, type, service]),
    [
      ['payment.settled', 'success', 'pay'],
      ['payment.settled', 'success', 'payments'],
      ['payment.refused', 'error', 'payments'],
      ['payment.settled', 'success', 'pay'],
      ['payment.settled', 'success', 'payments'],
      ['payment.refused', 'error', 'payments'],
      ['payment.settled', 'success', 'pay'],
    ],
  )
})

test('ruling 21 guide, auditing: the proof', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'prove.ts': prove })
  const { env } = await aLedger(t)
  const cwd = tempFolder(t)
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('prove.ts')], { env, cwd })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^ok \S+\n$/)
  const file = join(cwd, 'p1.tlog-proof')
  assert(existsSync(file) && readFileSync(file, 'utf8').startsWith('c2sp.org/tlog-proof@v1\n'))
})

everyBlockIsTested(page)
