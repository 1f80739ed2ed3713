import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../safety/index.ts'
import { parseLine } from '../testing/captured-log.ts'
import { createInstanceLog } from './instance-log.ts'
import { LevelScale } from './levels.ts'
import { flatLine } from './line.ts'
import { Thresholds } from './thresholds.ts'

test('IF-35 a notice is written once a minute per code, and the next one says how many were left out', t => {
  let now = 1_000
  t.mock.method(performance, 'now', () => now)
  const texts: string[] = []
  const { notices, flush } = createInstanceLog({
    scale: new LevelScale(),
    thresholds: new Thresholds(50),
    sinks: [{ to: { write: line => void texts.push(line) }, choice: { format: flatLine, isSummary: false } }],
    source: 'never',
    redactor: createRedactor(),
    scope: () => undefined,
  })
  for (let i = 0; i < 5; i++) notices.warn('one', 'first', { i })
  notices.warn('two', 'other code')
  now += 59_999
  notices.warn('one', 'still quiet')
  now += 1
  notices.warn('one', 'again', { i: 9 })
  now += 60_000
  notices.warn('one', 'nothing left out since')
  flush()
  const lines = texts.map(parseLine).map(({ timestamp, ...rest }) => rest)
  assert.deepEqual(lines, [
    { level: 'WARNING', message: 'first', notice: 'one', i: 0 },
    { level: 'WARNING', message: 'other code', notice: 'two' },
    { level: 'WARNING', message: 'again', notice: 'one', i: 9, suppressed: 5 },
    { level: 'WARNING', message: 'nothing left out since', notice: 'one' },
  ])
})
