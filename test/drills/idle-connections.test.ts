import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'

const wanted = 10_000
const key = `deed_live_${'i'.repeat(43)}`

test('10,000 idle connections: events are still taken at once, and the process lives', async t => {
  const ledger = await startLedger(t, tempFolder(t), { DEEDBOX_BOOTSTRAP_KEY: key })
  const port = Number(new URL(ledger.url).port)
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  // In portions, because the kernel's queue of connections that wait to be accepted is short.
  while (sockets.length < wanted) {
    const portion = Array.from({ length: 250 }, () => connect(port, '127.0.0.1'))
    sockets.push(...portion)
    for (const socket of portion) socket.on('error', () => undefined)
    await Promise.all(portion.map(socket => once(socket, 'connect')))
  }
  const response = await fetch(`${ledger.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ payload: 'x', meta: { type: 'info', event_name: 'a', service: 's' } }),
  })
  assert.equal(response.status, 202)
  assert.equal((await fetch(`${ledger.url}/__heartbeat__`)).status, 200)
  assert.equal(sockets.length, wanted)
  const closed = Promise.all(sockets.map(socket => (socket.closed ? undefined : once(socket, 'close'))))
  for (const socket of sockets) socket.destroy()
  await closed
  assert.equal(await stopLedger(ledger), 0)
})
