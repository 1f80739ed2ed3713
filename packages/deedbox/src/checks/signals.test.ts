import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { test } from 'node:test'
import { check, error, type HeartbeatSignal, warning } from '../health/index.ts'
import { healthService } from '../testing/health-service.ts'
import { programRun } from '../testing/program-output.ts'

test('DF-30 DF-31 rounds are told to listeners and on the channels; a warning passes', async t => {
  let found = [warning('slow')]
  const { box, ask } = await healthService(t, { checks: [check('storage', () => found)] })
  const told: [string, HeartbeatSignal][] = []
  const heard: [string | symbol, unknown][] = []
  const hear = (signal: unknown, name: string | symbol): void => void heard.push([name, signal])
  const channels = ['deedbox.heartbeat.passed', 'deedbox.heartbeat.failed']
  for (const name of channels) subscribe(name, hear)
  t.after(() => {
    for (const name of channels) unsubscribe(name, hear)
  })
  const off = box.on('heartbeatPassed', signal => told.push(['passed', signal]))
  box.on('heartbeatFailed', signal => told.push(['failed', signal]))
  await ask('/__heartbeat__')
  found = [error('gone')]
  await ask('/__heartbeat__')
  const [[first, passed] = [], [second, failed] = []] = told
  assert.deepEqual([first, second, told.length], ['passed', 'failed', 2])
  assert.deepEqual(
    [passed?.service, passed?.level, passed?.status, passed?.report.checks, passed?.results.length],
    ['tested', 30, 'warning', { storage: 'warning' }, 1],
  )
  assert.deepEqual([failed?.level, failed?.status, failed?.results[0]?.messages], [40, 'error', found])
  assert.deepEqual(heard, [
    [channels[0], passed],
    [channels[1], failed],
  ])
  found = []
  off()
  await ask('/__heartbeat__')
  assert.equal(told.length, 2)
})

test('DF-30 a listener may be given twice, take itself away, or add another', async t => {
  const { box, ask } = await healthService(t)
  let calls = 0
  const count = (): void => void calls++
  box.on('heartbeatPassed', count)
  box.on('heartbeatPassed', count)
  const off = box.on('heartbeatPassed', () => {
    off()
    box.on('heartbeatPassed', count)
  })
  await ask('/__heartbeat__')
  assert.equal(calls, 2)
  await ask('/__heartbeat__')
  assert.equal(calls, 5)
  assert.throws(() => box.on('heartbeat' as never, count), /There are: heartbeatPassed, heartbeatFailed\./)
  assert.throws(() => box.on('heartbeatPassed', undefined as never), TypeError)
})

test('DF-32 a listener that throws or rejects breaks nothing, and is said', async t => {
  const { box, ask, lines } = await healthService(t)
  let last = 0
  const fail = (_done: unknown, failed: (error: Error) => void): void => failed(new Error('thenable'))
  const thenable = Object.fromEntries([['then', fail]])
  box.on('heartbeatPassed', () => {
    throw new Error('sync')
  })
  box.on('heartbeatPassed', async () => {
    throw new Error('async')
  })
  box.on('heartbeatPassed', () => thenable)
  box.on('heartbeatPassed', () => void last++)
  assert.equal((await ask('/__heartbeat__')).status, 200)
  assert.equal(last, 1)
  const [notice, ...more] = (await lines()).filter(line => line.notice === 'listener_failed')
  assert.match(String(notice?.trace), /^Error: sync/)
  // At most one a minute.
  assert.equal(more.length, 0)
})

test('DF-32 what a subscriber of a channel throws is Node’s to raise: it ends a process that does not catch it', async () => {
  const program = join(import.meta.dirname, '..', 'testing', 'heartbeat-subscriber.ts')
  const { code, stdout } = await programRun(program, ['catch'])
  assert.deepEqual([code, stdout], [0, 'caught subscriber\nanswered 200\n'])
  assert.equal((await programRun(program, [])).code, 1)
})
