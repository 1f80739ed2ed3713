import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigurationError } from '../safety/index.ts'
import { type ChestOptions, chestParts } from './chest-options.ts'
import { checkedIdentifier } from './identifier.ts'

function isAbout(setting: string): (error: unknown) => boolean {
  return error => error instanceof ConfigurationError && error.setting === setting
}

test('FC-02 an option of a chest that cannot be is named when the chest is made', () => {
  const wrong: Record<string, unknown[]> = {
    tags: [[], 'a', { a: 1 }, { '': 'x' }],
    customTags: [{ a: null }],
    logger: [{}, 'debug', { debug() {} }],
    durable: [1, 'yes'],
    capacity: [0, 1.5, Number.NaN, '10'],
    batch: [0, -1, 1e9],
    linger: [-1, Number.POSITIVE_INFINITY],
    tag: ['misspelt'],
  }
  for (const [option, values] of Object.entries(wrong))
    for (const value of values)
      assert.throws(
        () => chestParts('sqlite()', { [option]: value } as ChestOptions, ['retentionDays']),
        isAbout(`sqlite(): ${option}`),
      )
  assert.throws(() => chestParts('sqlite()', { tags: {}, customTags: {} }, []), isAbout('sqlite()'))
  assert.throws(() => chestParts('sqlite()', [] as ChestOptions, []), isAbout('sqlite()'))
})

test('FC-25 the names of the original stand for ours', () => {
  const { tags, logger, queue } = chestParts('sqlite()', { customTags: { a: 'b' }, logger: null }, [])
  assert.deepEqual(tags, { a: 'b' })
  assert.equal(logger, undefined)
  assert.deepEqual(queue, { durable: undefined, capacity: undefined, batch: undefined, linger: undefined })
  assert.equal(chestParts('sqlite()', { logger: console }, []).logger, console)
})

test('FC-23 a name that becomes a part of a statement is checked', () => {
  for (const name of ['flask_chest', '_a', 'A9', 'a'.repeat(63)])
    assert.equal(checkedIdentifier('sqlite(): name', name), name)
  for (const name of [
    '',
    '9a',
    'a b',
    'x; drop table y',
    'a"b',
    "a'b",
    'a.b',
    'ä',
    'a'.repeat(64),
    7,
    undefined,
  ])
    assert.throws(() => checkedIdentifier('sqlite(): name', name), isAbout('sqlite(): name'))
})
