import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initLogging, log } from './index.ts'

test('FA-33 the logging set-up called twice gives one instance, and each line is written once', async () => {
  const texts: string[] = []
  const sink = { write: (line: string) => texts.push(line) }
  const first = initLogging({ service: 'one', ledger: null, log: { sink } })
  const second = initLogging({ service: 'two', ledger: null, log: { sink } })
  assert.equal(second, first)
  log.info('once')
  await first.flush()
  assert.equal(texts.filter(text => text.includes('"once"')).length, 1)
  await first.close()
  const third = initLogging({ service: 'three', ledger: null, log: { sink } })
  assert.equal(third.service, 'three')
  await third.close()
})
