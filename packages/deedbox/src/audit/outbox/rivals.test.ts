import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startChild } from '../../testing/ledger-child.ts'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spoolFolder } from '../../testing/spooled-events.ts'

test('IF-37 ruling 23 what one leaves, one of four that come next delivers, and each event is sent once', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, () => ({ status: 503 }))
  const events = someEvents(300)
  for (let from = 0; from < 300; from += 100) {
    const { outlet } = aSpooledOutlet(t, ledger, folder, { capacity: 20 })
    for (const event of events.slice(from, from + 100)) outlet.offer(event)
    outlet.close()
  }
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
  const before = ledger.calls.length
  ledger.follow(keepAll)
  const rivals = [1, 2, 3, 4].map(() => aSpooledOutlet(t, ledger, folder, { capacity: 20 }))
  await until(() => ledger.stored.size === 300)
  const sent = ledger.calls.slice(before).flatMap(({ items }) => items.map(({ key }) => key))
  assert.equal(sent.length, 300)
  const taken = rivals.flatMap(({ adopted }) => adopted.map(({ events: count }) => count))
  assert.deepEqual(taken, [100, 100, 100])
  await until(() => rivals.reduce((sum, { outlet }) => sum + outlet.stats().delivered, 0) === 300)
})

for (const how of ['cluster', 'threads', 'instances'] as const) {
  test(`ruling 23 ${how}: each has a spool of its own, and all that waits is delivered once`, async t => {
    const folder = spoolFolder(t)
    const ledger = await aLedger(t, () => ({ status: 503 }))
    const variables = { DEEDBOX_URL: ledger.url, DEEDBOX_API_KEY: 'a-key', DEEDBOX_SPOOL: folder, HOW: how }
    const family = startChild('spooling-family.ts', variables)
    await family.ended
    const spools = filesBelow(folder).filter(name => name.endsWith('mark'))
    assert.equal(spools.length, 3, family.output())
    ledger.follow(keepAll)
    const next = startChild('spooling-family.ts', { ...variables, HOW: 'next' })
    t.after(() => next.process.kill('SIGKILL'))
    // Beside the events there is word of the dead.
    const stored = () =>
      ledger.calls.filter(({ path }) => path.startsWith('/v1/events')).flatMap(({ items }) => items)
    await until(() => new Set(stored().map(({ key }) => key)).size === 30 && ledger.stored.size >= 30)
    next.process.kill('SIGTERM')
    await next.ended
    assert.deepEqual(
      filesBelow(folder).filter(name => name.endsWith('.events')),
      [],
    )
  })
}
