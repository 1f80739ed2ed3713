import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'

test('FA-10 a sink that throws costs its lines and one note on stderr, and the service goes on', async t => {
  const notes: string[] = []
  const stderr = t.mock.method(process.stderr, 'write', (text: string) => {
    notes.push(text)
    return true
  })
  let broken = true
  const texts: string[] = []
  const write = (line: string): void => {
    if (broken) throw new Error('no space left')
    texts.push(line)
  }
  const { box } = captureLog({ log: { sink: { write } } })
  await box.flush()
  const before = box.stats().lines.lost
  for (let i = 0; i < 5; i++) box.log.info('lost', { i })
  await box.flush()
  broken = false
  box.log.info('kept')
  await box.flush()
  stderr.mock.restore()
  assert.equal(box.stats().lines.lost, before + 5)
  assert.equal(notes.length, 1)
  assert.match(notes[0] ?? '', /^deedbox: the log sink failed, \d+ lines are lost so far: no space left\n$/)
  assert.deepEqual(
    texts.map(text => JSON.parse(text).message),
    ['kept'],
  )
  await box.close()
})

test('FA-10 a sink whose flush throws, and a stderr that throws as well, do not reach the service', async t => {
  const stderr = t.mock.method(process.stderr, 'write', () => {
    throw new Error('EPIPE')
  })
  const refuse = (): never => {
    throw new Error('refused')
  }
  const { box } = captureLog({ log: { sink: { write: refuse, flush: refuse } } })
  box.log.info('lost')
  await box.flush()
  assert.ok(box.stats().lines.lost >= 1)
  assert.equal(await box.close(), true)
  assert.ok(stderr.mock.callCount() >= 1)
  stderr.mock.restore()
})

test('FA-02 lines come in the order of their calls, also across turns', async () => {
  const { box, lines } = captureLog()
  for (let i = 0; i < 300; i++) {
    box.log.info('n', { i })
    if (i % 7 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  const numbers = (await lines()).filter(line => line.message === 'n').map(({ i }) => i)
  assert.deepEqual(numbers, [...Array(300).keys()])
  await box.close()
})
