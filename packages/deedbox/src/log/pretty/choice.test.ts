import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriteStream } from 'node:tty'
import { flatLine } from '../line.ts'
import type { LogSink } from '../sink.ts'
import { choosePalette, choosePretty, isPretty } from './index.ts'

const ownSink: LogSink = { write: () => {} }

test('FA-11 FA-29 pretty only in development, never in testing or production', () => {
  const table: [
    env: string,
    format: Parameters<typeof isPretty>[1],
    sink: Parameters<typeof isPretty>[2],
    boolean,
  ][] = [
    ['development', undefined, undefined, true],
    ['Development', undefined, 'stderr', true],
    ['development', undefined, 'stdout', true],
    ['development', undefined, ownSink, false],
    ['development', 'flat', 'stderr', false],
    ['development', 'mozlog', 'stderr', false],
    ['development', flatLine, 'stderr', false],
    ['development', 'pretty', ownSink, true],
    ['testing', undefined, 'stderr', false],
    ['testing', 'pretty', 'stderr', false],
    ['TESTING', 'pretty', 'stderr', false],
    ['production', undefined, 'stderr', false],
    ['production', 'pretty', 'stderr', false],
    ['Production', 'pretty', undefined, false],
    ['staging', undefined, 'stderr', false],
    ['staging', 'pretty', 'stderr', true],
  ]
  for (const [env, format, sink, expected] of table) {
    assert.equal(isPretty(env, format, sink), expected, `${env}, ${String(format)}`)
  }
})

const xterm = { TERM: 'xterm-256color' }

test('FA-56 NO_COLOR, FORCE_COLOR, TERM and CI decide on colour, and on how much', () => {
  const table: [environment: Record<string, string>, isTerminal: boolean, expected: 'none' | '16' | '256'][] =
    [
      [xterm, true, '256'],
      [xterm, false, 'none'],
      [{ TERM: 'xterm' }, true, '16'],
      [{ TERM: 'linux' }, true, '16'],
      [{ TERM: 'xterm', COLORTERM: 'truecolor' }, true, '256'],
      [{ TERM: 'dumb' }, true, 'none'],
      [{ ...xterm, NO_COLOR: '1' }, true, 'none'],
      [{ ...xterm, NO_COLOR: '0' }, true, 'none'],
      [{ ...xterm, NO_COLOR: '' }, true, '256'],
      [{ ...xterm, NODE_DISABLE_COLORS: '1' }, true, 'none'],
      [{ FORCE_COLOR: '0', ...xterm }, true, 'none'],
      [{ FORCE_COLOR: 'false', ...xterm }, true, 'none'],
      [{ FORCE_COLOR: '' }, false, '16'],
      [{ FORCE_COLOR: '1' }, false, '16'],
      [{ FORCE_COLOR: 'true' }, false, '16'],
      [{ FORCE_COLOR: '2' }, false, '256'],
      [{ FORCE_COLOR: '3' }, false, '256'],
      [{ FORCE_COLOR: '3', NO_COLOR: '1' }, false, '256'],
      [{ FORCE_COLOR: '0', NO_COLOR: '' }, true, 'none'],
      [{ FORCE_COLOR: '2', TERM: 'dumb' }, false, '256'],
      [{ CI: 'true', ...xterm }, false, 'none'],
      [{ CI: 'true', FORCE_COLOR: '2' }, false, '256'],
    ]
  for (const [environment, isTerminal, expected] of table) {
    const { palette, warning } = choosePalette(environment, isTerminal)
    const key = palette?.roles.key
    const found = key === undefined ? 'none' : key.startsWith('38;5;') ? '256' : '16'
    assert.equal(found, expected, JSON.stringify({ environment, isTerminal }))
    assert.equal(warning, undefined)
  }
})

test('FA-56 what Node says of the same variables is what we do', () => {
  const forced = ['0', '1', '2', '3', '', 'true', 'false', 'yes']
  for (const FORCE_COLOR of forced) {
    const bits = WriteStream.prototype.getColorDepth({ FORCE_COLOR })
    const { palette } = choosePalette({ FORCE_COLOR }, false)
    const ours = palette === undefined ? 1 : palette.roles.key.startsWith('38;5;') ? 8 : 4
    assert.equal(ours, Math.min(bits, 8), FORCE_COLOR)
  }
})

test('FA-12 FA-56 LOG_STYLE and PYGMENTS_STYLE name a palette; an unknown one is said once and falls back', () => {
  const key = (environment: Record<string, string>): string | undefined =>
    choosePalette({ FORCE_COLOR: '3', ...environment }, false).palette?.roles.key
  assert.equal(key({}), '38;5;114')
  assert.equal(key({ LOG_STYLE: 'monokai' }), '38;5;197')
  assert.equal(key({ PYGMENTS_STYLE: 'Solarized-Dark' }), '38;5;33')
  assert.equal(key({ LOG_STYLE: ' github-light ', PYGMENTS_STYLE: 'monokai' }), '38;5;28')
  assert.equal(key({ DEEDBOX_LOG_STYLE: 'plain', LOG_STYLE: 'monokai' }), '')
  assert.equal(key({ LOG_STYLE: '', PYGMENTS_STYLE: '' }), '38;5;114')
  const { palette, warning } = choosePalette({ FORCE_COLOR: '3', PYGMENTS_STYLE: 'constructor' }, false)
  assert.equal(palette?.roles.key, '38;5;114')
  assert.equal(
    warning,
    'PYGMENTS_STYLE: "constructor" is no palette, so github-dark is used. ' +
      'Use github-dark, github-light, monokai, solarized-dark, plain.',
  )
})

test('FA-11 the view is chosen by a variable, the width by the terminal', () => {
  const terminal = { isTTY: true, columns: 120 }
  const { options, warnings } = choosePretty({ ...xterm, LOG_VIEW: 'JSON' }, terminal)
  assert.equal(options.view, 'json')
  assert(typeof options.columns === 'function')
  assert.equal(options.columns(), 120)
  terminal.columns = 80
  assert.equal(options.columns(), 80)
  assert.deepEqual(warnings, [])
  const other = choosePretty({ LOG_VIEW: 'wide', LOG_STYLE: 'x' }, { columns: 80 })
  assert.equal(other.options.view, 'compact')
  assert.equal(other.options.palette, undefined)
  assert(typeof other.options.columns === 'function')
  assert.equal(other.options.columns(), undefined)
  assert.equal(other.warnings.length, 2)
  assert.equal(other.warnings[1], 'LOG_VIEW: "wide" is no view, so compact is used. Use compact, json.')
})
