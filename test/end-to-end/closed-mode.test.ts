import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { startChild } from '../../packages/deedbox/src/testing/ledger-child.ts'
import { drillKey } from '../drills/load.ts'
import { assertVerdict, printedKey, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

test('X-11 IF-33 closed: what a client was answered is in the ledger, though the service is killed at that moment', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: drillKey })
  const answered: string[] = []
  for (let round = 0; round < 3; round++) {
    const service = startChild('closed-service.ts', {
      DEEDBOX_URL: ledger.url,
      DEEDBOX_API_KEY: drillKey,
      DEEDBOX_AUDIT_MODE: 'closed',
    })
    t.after(() => service.process.kill('SIGKILL'))
    await service.said(';')
    const port = /port (\d+);/.exec(service.output())?.[1] ?? ''
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    // Many at once; the first byte of the third answer is the end of the service.
    const calls = Array.from({ length: 12 }, async (_, n) => {
      const id = `round-${round}-${n}`
      const call = request({
        host: '127.0.0.1',
        port,
        agent,
        path: '/order',
        headers: { 'x-request-id': id },
      })
      call.end()
      const [answer] = (await once(call, 'response')) as [IncomingMessage]
      answered.push(id)
      if (answered.length % 3 === 0) service.process.kill('SIGKILL')
      answer.resume()
      assert.equal(answer.statusCode, 200)
    })
    await Promise.allSettled(calls)
    assert.equal((await service.ended).signal, 'SIGKILL')
    agent.destroy()
  }
  assert.ok(answered.length >= 9, `${answered.length} answers`)
  for (const id of answered) {
    const found = await fetch(`${ledger.url}/v1/events?request_id=${id}`, {
      headers: { authorization: `Bearer ${drillKey}` },
    })
    const { events } = (await found.json()) as { events: { event_name: string }[] }
    assert.equal(events.length, 1, `${id} was answered`)
  }
  assert.equal(await stopLedger(ledger), 0)
  await assertVerdict(folder, printedKey(ledger), 'ok')
})
