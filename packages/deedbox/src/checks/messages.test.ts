import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostileValues } from '../testing/hostile-values.ts'
import { messagesOf } from './check.ts'
import { CheckMessage, critical, debug, error, info, warning } from './check-message.ts'
import { dockerflowIds } from './ids.ts'
import { checkLevels, levelNumber, levelText } from './levels.ts'
import { reportOf } from './report.ts'

test('DF-14 levels and their texts', () => {
  assert.deepEqual(checkLevels, { debug: 10, info: 20, warning: 30, error: 40, critical: 50 })
  const levels = [0, 10, 20, 30, 40, 50, 45, 60, -1, Number.NaN]
  const texts = ['ok', 'debug', 'info', 'warning', 'error', 'critical', ...Array(4).fill('unknown')]
  assert.deepEqual(levels.map(levelText), texts)
  assert.deepEqual(['error', 45, 0, 'toString', 'ERROR', '40', Number.NaN, -1, null].map(levelNumber), [
    40,
    45,
    0,
    ...Array(6).fill(undefined),
  ])
})

test('DF-15 a message for each level, whose level may be another', () => {
  const levels = [debug, info, warning, error, critical].map(make => make('m').level)
  assert.deepEqual(levels, [10, 20, 30, 40, 50])
  assert.equal(warning('m', { level: 'critical' }).level, 50)
  assert.equal(warning('m', { level: 35 }).level, 35)
  assert.throws(
    () => warning('m', { level: 'fatal' as never }),
    new TypeError('fatal is no level. Use a number, or debug, info, warning, error, critical.'),
  )
})

test('DF-15 isSerious() is asked against ERROR, or another level', () => {
  assert.deepEqual(
    [warning('m'), error('m'), critical('m')].map(each => each.isSerious()),
    [false, true, true],
  )
  assert.equal(warning('m').isSerious('warning'), true)
  assert.equal(error('m').isSerious(50), false)
})

test('DF-15 messages are equal by all five attributes', () => {
  const details = { hint: 'look', object: { table: 'a' }, id: 'acme.E1' }
  const one = error('gone', details)
  assert(one.equals(new CheckMessage('gone', 40, { ...details, object: { table: 'a' } })))
  for (const other of [
    error('went', details),
    critical('gone', details),
    error('gone', { ...details, hint: 'listen' }),
    error('gone', { ...details, object: { table: 'b' } }),
    error('gone', { ...details, id: 'acme.E2' }),
    { ...one },
    undefined,
  ])
    assert(!one.equals(other))
})

test('DF-15 the text form: object, id, message, the hint on a line of its own', () => {
  const text = error('gone', { object: 'storage', id: 'acme.E1', hint: 'Plug it in.' }).toString()
  assert.equal(text, 'storage: (acme.E1) gone\n\tHINT: Plug it in.')
  assert.equal(String(warning('slow')), '?: slow')
  assert.equal(String(warning('slow', { object: null, id: '', hint: '' })), '?: slow')
  for (const [what, make] of Object.entries(hostileValues))
    assert.equal(typeof warning('m', { object: make() }).toString(), 'string', what)
})

test('DF-19 DF-20 what is no list of messages is an ERROR that says so; no problem is a list, null or nothing', () => {
  assert.deepEqual([messagesOf([]), messagesOf(null), messagesOf(undefined)], [[], [], []])
  const plain = { message: 'slow', level: 'warning', id: 'a.W1', hint: 'h' }
  assert(messagesOf([plain])[0]?.equals(warning('slow', { id: 'a.W1', hint: 'h' })))
  for (const wrong of [true, 'ok', 5, {}, error('alone'), [1], [null], [{ message: 'm' }], ['text']]) {
    const [message, ...more] = messagesOf(wrong)
    assert.deepEqual([message?.id, message?.level, more.length], ['deedbox.health.E101', 40, 0])
  }
})

const outcome = (name: string, ...messages: CheckMessage[]) => ({
  name,
  messages,
  elapsed: 1,
  readiness: true,
})

test('DF-20 the worst level counts, of a check and of all; no message is lost', () => {
  const mixed = outcome('mixed', info('a'), warning('b'), error('c', { id: 'x' }), debug('d', { id: 'x' }))
  assert.deepEqual(
    reportOf([mixed, outcome('well'), outcome('odd', warning('e', { level: 35 }))], new Set()),
    {
      status: 'error',
      level: 40,
      checks: { mixed: 'error', well: 'ok', odd: 'unknown' },
      details: {
        mixed: {
          status: 'error',
          level: 40,
          messages: { message: 'a', 'message#2': 'b', x: 'c', 'x#2': 'd' },
        },
        odd: { status: 'unknown', level: 35, messages: { message: 'e' } },
      },
    },
  )
  assert.deepEqual(reportOf([], new Set()), { status: 'ok', level: 0, checks: {}, details: {} })
})

test('DF-20 names and ids that objects have already are names and ids like others', () => {
  const { checks, details } = reportOf(
    [outcome('__proto__', error('a', { id: '__proto__' }), error('b', { id: 'constructor' }))],
    new Set(),
  )
  assert.equal(JSON.stringify(checks), '{"__proto__":"error"}')
  assert.match(JSON.stringify(details), /"messages":\{"__proto__":"a","constructor":"b"\}/)
})

test('DF-21 silenced messages do not count, and how many they are is said', () => {
  const found = outcome('a', error('gone', { id: 'a.E1' }), info('seen', { id: 'a.I1' }), error('no id'))
  assert.deepEqual(reportOf([found], new Set(['a.E1', 'undefined'])).details, {
    a: {
      status: 'error',
      level: 40,
      messages: { 'a.I1': 'seen', message: 'no id' },
      silenced: 1,
    },
  })
  const quiet = reportOf([outcome('a', error('gone', { id: 'a.E1' }))], new Set(['a.E1']))
  assert.deepEqual(
    [quiet.status, quiet.checks, quiet.details],
    ['ok', { a: 'ok' }, { a: { status: 'ok', level: 0, messages: {}, silenced: 1 } }],
  )
})

test('DF-24 the ids of Dockerflow’s own checks', () => {
  assert.deepEqual(
    Object.values(dockerflowIds).map(id => id.replace('dockerflow.health.', '')),
    ['I001', 'W001', ...Array.from({ length: 9 }, (_, i) => `E00${i + 1}`), 'E010'],
  )
})
