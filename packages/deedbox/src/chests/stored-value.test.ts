import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextEntry, type TrackedValue } from '../tracking/index.ts'
import { entryIdParts, readValue, storableText, storedValue } from './stored-value.ts'

test('FC-23 a value is its type and its text, and the same value comes back', () => {
  const stored: [TrackedValue, string, string][] = [
    ['', 'string', ''],
    ['1', 'string', '1'],
    ['null', 'string', 'null'],
    ['"quoted"', 'string', '"quoted"'],
    ['客 🦊', 'string', '客 🦊'],
    ['a\0b', 'string_json', '"a\\u0000b"'],
    [0, 'number', '0'],
    [-1.5e300, 'number', '-1.5e+300'],
    [true, 'boolean', 'true'],
    [false, 'boolean', 'false'],
    [null, 'null', 'null'],
    [{}, 'json', '{}'],
    [[], 'json', '[]'],
    [{ a: [1, { b: null }], 'x\0': 'y\0' }, 'json', '{"a":[1,{"b":null}],"x\\u0000":"y\\u0000"}'],
  ]
  for (const [value, type, text] of stored) {
    assert.deepEqual(storedValue(value), { type, text })
    assert.deepEqual(readValue(type, text), value)
  }
})

test('FC-22 rows of Flask-Chest are strings, and what somebody spoilt is still read', () => {
  assert.equal(readValue(null, '1.5'), '1.5')
  assert.equal(readValue(null, null), null)
  assert.equal(readValue('number', null), null)
  assert.equal(readValue('json', '{'), '{')
  assert.equal(readValue('unheard of', 'text'), 'text')
})

test('the id of an entry is taken apart as it was made', () => {
  const record = {
    ...{ id: 'a.b', requestId: 'r', timestamp: 1, service: 's', env: 'e' },
    ...{ route: null, method: null, status: null, error: null },
  }
  assert.deepEqual(entryIdParts(contextEntry(record, 12, 'n', 1).id), { record: 'a.b', position: 12 })
  for (const id of ['', 'a', 'a.', '.1', 'a.-1', 'a.1x']) assert.equal(entryIdParts(id), undefined)
  assert.equal(storableText('a\0b\0'), 'a␀b␀')
})
