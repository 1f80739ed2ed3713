import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FileSinkOptions, readFileOptions } from './file-options.ts'
import { fitting, isFull, periodStart } from './rotation.ts'

const settingsOf = (rotate: FileSinkOptions['rotate']) => readFileOptions({ path: 'app.log', rotate })
const local = (text: string): number => new Date(text).getTime()

test('FA-51 a period begins at the hour, the time of day, Monday, or a multiple of milliseconds', () => {
  const start = (rotate: FileSinkOptions['rotate'], time: string): number =>
    periodStart(local(time), settingsOf(rotate))
  assert.equal(start({ every: 'hour' }, '2026-11-29T18:04:05'), local('2026-11-29T18:00:00'))
  assert.equal(start({ every: 'day' }, '2026-11-29T00:00:00'), local('2026-11-29T00:00:00'))
  assert.equal(start({ at: '18:30' }, '2026-11-29T18:29:59'), local('2026-11-28T18:30:00'))
  assert.equal(start({ at: '18:30' }, '2026-11-29T18:30:00'), local('2026-11-29T18:30:00'))
  // The 29th was a Sunday.
  assert.equal(start({ every: 'week' }, '2026-11-29T23:59:59'), local('2026-11-23T00:00:00'))
  assert.equal(start({ every: 'week', at: '06:00' }, '2026-11-30T05:59:59'), local('2026-11-23T06:00:00'))
  assert.equal(start({ every: 'week', at: '06:00' }, '2026-11-30T06:00:00'), local('2026-11-30T06:00:00'))
  assert.equal(periodStart(123_456, settingsOf({ every: 1_000 })), 123_000)
})

test('FA-51 a file is full by size, by time or by a function, and never while it is empty', () => {
  const now = local('2026-11-29T12:00:00')
  const full = (rotate: FileSinkOptions['rotate'], size: number, lastWrite = now): boolean =>
    isFull(settingsOf(rotate), { size, lastWrite }, 10, now)
  assert.deepEqual(
    [full({ size: 100 }, 90), full({ size: 100 }, 91), full({ size: 5 }, 0)],
    [false, true, false],
  )
  const day = 86_400_000
  assert.deepEqual(
    [full({ every: 'day' }, 1), full({ every: 'day' }, 1, now - day), full({ every: 'day' }, 0, now - day)],
    [false, true, false],
  )
  const when = (facts: { size: number; next: number }): boolean => facts.size + facts.next === 13
  assert.deepEqual([full({ when }, 3), full({ when }, 4)], [true, false])
})

test('FA-51 whole lines go into the room that a file has, one at least', () => {
  const lines = Buffer.from('aa\nbbb\nc\n')
  assert.deepEqual(
    [0, 2, 3, 6, 7, 8, 9, 10].map(room => fitting(lines, room)),
    [3, 3, 3, 3, 7, 7, 9, 9],
  )
})

test('FA-51 sizes are read in bytes and in units of them', () => {
  const sizes = [1, '10', '10 MB', '1.5kB', '2gb'].map(size => settingsOf({ size }).size)
  assert.deepEqual(sizes, [1, 10, 10_000_000, 1_500, 2_000_000_000])
})

test('FA-51 each wrong option is refused by its name', () => {
  const wrong: [string, object][] = [
    ['path', { path: '' }],
    ['rotate.size', { rotate: { size: '10 pages' } }],
    ['rotate.size', { rotate: { size: 0 } }],
    ['rotate.every', { rotate: { every: 'year' } }],
    ['rotate.every', { rotate: { every: 0.5 } }],
    ['rotate.at', { rotate: { at: '24:00' } }],
    ['rotate.at', { rotate: { every: 'hour', at: '10:00' } }],
    ['rotate.when', { rotate: { when: 5 } }],
    ['keep.files', { keep: { files: -1 } }],
    ['keep.days', { keep: { days: 0 } }],
    ['keep.when', { keep: { when: true } }],
    ['compress', { compress: 'zip' }],
    ['mode', { mode: '640' }],
  ]
  for (const [option, options] of wrong)
    assert.throws(() => readFileOptions({ path: 'a', ...options } as never), {
      setting: `fileSink.${option}`,
    })
})
