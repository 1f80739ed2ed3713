import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Losses } from './losses.ts'

test('FA-10 a sink that no log listens to complains on stderr itself, seldom and without secrets', t => {
  const notes: string[] = []
  const stderr = t.mock.method(process.stderr, 'write', (text: string) => notes.push(text) > 0)
  const losses = new Losses('the sink of a test')
  losses.tell(2, 'refused: password=Tr0ub4dor')
  losses.tell(3, 'refused again')
  const told: number[] = []
  losses.listen(lines => told.push(lines))
  losses.tell(4, 'refused')
  stderr.mock.restore()
  assert.deepEqual(notes, [
    'deedbox: the sink of a test failed, 2 lines are lost so far: refused: password=[redacted]\n',
  ])
  assert.deepEqual(told, [4])
})

test('FA-10 a stderr that throws does not reach the service', t => {
  const stderr = t.mock.method(process.stderr, 'write', () => {
    throw new Error('EPIPE')
  })
  new Losses('the sink of a test').tell(1, 'refused')
  assert.equal(stderr.mock.callCount(), 1)
  stderr.mock.restore()
})
