import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineSplitter } from './line-splitter.ts'

test('FA-57 lines are the same, however what holds them is cut into pieces', () => {
  const whole = Buffer.from('one\n\ntwo – 2\nthree\r\nrest')
  for (let size = 1; size <= whole.length; size++) {
    const splitter = new LineSplitter()
    const lines: Buffer[] = []
    for (let at = 0; at < whole.length; at += size)
      lines.push(...splitter.push(whole.subarray(at, at + size)))
    lines.push(...splitter.end())
    assert.deepEqual(lines.map(String), ['one', '', 'two – 2', 'three\r', 'rest'])
    assert.deepEqual(splitter.end(), [])
  }
})

test('FA-57 what has no line breaks is passed on before it fills the memory', () => {
  const splitter = new LineSplitter()
  const piece = Buffer.alloc(1024 * 1024, 'x')
  let passed = 0
  for (let n = 0; n < 20; n++) for (const part of splitter.push(piece)) passed += part.length
  assert(passed >= 11 * piece.length, `${passed}`)
  for (const part of splitter.end()) passed += part.length
  assert.equal(passed, 20 * piece.length)
})
