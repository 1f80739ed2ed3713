import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'
import { type LogLevel, levelNumbers, readLevel } from './levels.ts'

const names = Object.keys(levelNumbers) as LogLevel[]

test('FA-04 the levels and their numbers', () => {
  assert.deepEqual(levelNumbers, {
    TRACE: 5,
    DEBUG: 10,
    INFO: 20,
    SUCCESS: 25,
    WARNING: 30,
    ERROR: 40,
    CRITICAL: 50,
  })
})

test('FA-04 level names are read in any case, with their common other names', () => {
  for (const name of names) {
    for (const text of [name, name.toLowerCase(), ` ${name} `]) assert.equal(readLevel(text), name)
  }
  assert.equal(readLevel('warn'), 'WARNING')
  assert.equal(readLevel('Fatal'), 'CRITICAL')
  for (const text of ['', 'verbose', '20', 'constructor', '__proto__'])
    assert.equal(readLevel(text), undefined)
})

test('FA-04 FA-30 each threshold lets through exactly the levels at or above it, also when changed later', async () => {
  const { box, lines, texts } = captureLog()
  for (const threshold of names) {
    await lines()
    texts.length = 0
    box.log.level = threshold
    assert.equal(box.log.level, threshold)
    box.log.trace('m')
    box.log.debug('m')
    box.log.info('m')
    box.log.success('m')
    box.log.warning('m')
    box.log.warn('m')
    box.log.error('m')
    box.log.critical('m')
    const expected = [...names, 'WARNING' as const]
      .filter(level => levelNumbers[level] >= levelNumbers[threshold])
      .sort((a, b) => levelNumbers[a] - levelNumbers[b])
    assert.deepEqual(
      (await lines()).map(({ level }) => level),
      expected,
      threshold,
    )
  }
  await box.close()
})
