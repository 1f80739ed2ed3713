import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { aSpooledOutlet, filesBelow, spoolFolder } from '../../testing/spooled-events.ts'
import { SendError } from '../send-error.ts'
import type { DeadLetter } from './dead-letters.ts'

const refuse = () => ({ status: 422, body: { reason: 'invalid_meta', message: 'no such kind' } })

test('IF-34 what the ledger refuses for good is a dead letter, and in the spool no more; a send is told instead', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, refuse)
  const { outlet } = aSpooledOutlet(t, ledger, folder)
  const [automatic, kept, sent] = someEvents(3)
  outlet.offer(automatic!)
  await outlet.keep(kept!)
  await assert.rejects(
    outlet.send(sent!, 5_000),
    (error: unknown) => error instanceof SendError && error.code === 'rejected',
  )
  assert.equal(await outlet.flush(10_000), true)
  const { rejected, deadLetters, queued, spooled } = outlet.stats()
  assert.deepEqual([rejected, deadLetters, queued, spooled], [3, 2, 0, 0])
  outlet.close()
  const [file] = filesBelow(folder).filter(name => name.includes('dead-letters'))
  const lines = readFileSync(join(folder, file!), 'utf8').trim().split('\n')
  const letters = lines.map(line => JSON.parse(line) as DeadLetter)
  assert.deepEqual(
    letters.map(({ time: _, ...letter }) => letter),
    [automatic!, kept!].map(event => ({
      reason: 'invalid_meta',
      status: 422,
      message: 'no such kind',
      idempotency_key: event.idempotencyKey,
      request_id: event.requestId,
      meta: event.meta,
      payload: event.payload,
    })),
  )
})

test('IF-34 the file of dead letters has an end: what comes later is counted and told', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, refuse)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { size: 8_000 })
  for (const event of someEvents(10)) outlet.offer(event)
  assert.equal(await outlet.flush(10_000), true)
  const { rejected, deadLetters } = outlet.stats()
  assert.equal(rejected, 10)
  assert.ok(deadLetters > 0 && deadLetters < 10)
  assert.equal(notices.filter(({ notice }) => notice === 'dead_letters_full').length, 1)
})
