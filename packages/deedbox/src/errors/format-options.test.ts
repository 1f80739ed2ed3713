import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { CapturedFrame, ErrorFormatOptions, Locals } from './index.ts'
import { formatError } from './index.ts'

const source = `// Line 1.
export function total(items) {
  const first = items[0]
  let sum = 0

  for (const item of items) {
    sum += item.price
    check(sum)
  }
  return sum
}

function check(sum) {
  if (sum < 0) throw new RangeError('below zero')
}
`

function anError(more = ''): Error {
  const thrown = new RangeError('below zero')
  thrown.stack = `RangeError: below zero
    at check (/srv/total.js:14:22)
    at total (/srv/total.js:8:5)${more}`
  return thrown
}

const readSource = (path: string): string | undefined => (path === '/srv/total.js' ? source : undefined)

const format = (options: ErrorFormatOptions = {}, thrown: unknown = anError()): string =>
  formatError(thrown, { readSource, ...options })

/** Variables as if they had been captured. */
function holding(variables: CapturedFrame['variables']): Locals {
  const frame = { url: 'file:///srv/total.js', line: 8, column: 5, function: 'total', variables }
  return { frames: () => [frame], ready: Promise.resolve(true), close: async () => undefined }
}

const whole = `File "/srv/total.js", line 8, in total
    2  export function total(items) {
 (...)
    4    let sum = 0
    5
    6    for (const item of items) {
    7      sum += item.price
--> 8      check(sum)
    9    }

File "/srv/total.js", line 14, in check
    13  function check(sum) {
--> 14    if (sum < 0) throw new RangeError('below zero')
    15  }

RangeError: below zero`

test('FA-37 FA-38 the layout with the options as they are', () => {
  assert.equal(format(), whole)
})

test('FA-38 sourceLines: none, one and the next, or the function', () => {
  assert.equal(
    format({ sourceLines: 0 }),
    `File "/srv/total.js", line 8, in total

File "/srv/total.js", line 14, in check

RangeError: below zero`,
  )
  assert.ok(
    format({ sourceLines: 1 }).startsWith(`File "/srv/total.js", line 8, in total
    2  export function total(items) {
 (...)
--> 8      check(sum)
    9    }
`),
  )
  assert.ok(
    format({ sourceLines: 'all' }).startsWith(`File "/srv/total.js", line 8, in total
    2   export function total(items) {
    3     const first = items[0]
    4     let sum = 0
    5
    6     for (const item of items) {
    7       sum += item.price
--> 8       check(sum)
    9     }
    10    return sum
    11  }
`),
  )
})

test('FA-38 showSignature: false leaves the first line of the function out', () => {
  assert.ok(
    format({ showSignature: false, sourceLines: 2 }).startsWith(`File "/srv/total.js", line 8, in total
    7      sum += item.price
--> 8      check(sum)
`),
  )
})

test('FA-37 FA-45 variables stand between dotted rules, those that the listed source names', () => {
  const locals = holding([
    ['sum', '-1'],
    ['first', '{ price: -1 }'],
    ['items', '[{ price: -1 }]'],
  ])
  assert.ok(
    format({ locals }).startsWith(`File "/srv/total.js", line 8, in total
    2  export function total(items) {
 (...)
    4    let sum = 0
    5
    6    for (const item of items) {
    7      sum += item.price
--> 8      check(sum)
    9    }
    ..................................................
     sum = -1
     items = [{ price: -1 }]
    ..................................................

File "/srv/total.js", line 14, in check
`),
    format({ locals }),
  )
  assert.ok(format({ locals, sourceLines: 'all' }).includes('     first = { price: -1 }\n'))
  assert.ok(format({ locals, sourceLines: 0 }).includes('     first = { price: -1 }\n'))
})

test('FA-38 showValues: of the listed source, of the failing line, all, or none', () => {
  const locals = holding([
    ['sum', '1'],
    ['items', '[]'],
    ['hidden', '2'],
  ])
  const shown = (options: ErrorFormatOptions): string[] =>
    ['sum = 1', 'items = []', 'hidden = 2'].filter(text => format({ locals, ...options }).includes(text))
  assert.deepEqual(shown({}), ['sum = 1', 'items = []'])
  assert.deepEqual(shown({ showValues: 'source' }), ['sum = 1', 'items = []'])
  assert.deepEqual(shown({ showValues: 'line' }), ['sum = 1'])
  assert.deepEqual(shown({ showValues: 'all' }), ['sum = 1', 'items = []', 'hidden = 2'])
  assert.deepEqual(shown({ showValues: 'none' }), [])
})

test('FA-38 truncateValues cuts values', () => {
  const locals = holding([['sum', 'x'.repeat(600)]])
  assert.ok(format({ locals }).includes(`     sum = ${'x'.repeat(500)}...\n`))
  assert.ok(format({ locals, truncateValues: 3 }).includes('     sum = xxx...\n'))
})

test('FA-38 FA-41 lineWrap wraps values between words', () => {
  const locals = holding([['sum', '[first, second, third, fourth]']])
  assert.ok(
    format({ locals, lineWrap: 20 }).includes(`     sum = [first,
           second, third,
           fourth]
`),
    format({ locals, lineWrap: 20 }),
  )
  assert.ok(format({ locals, lineWrap: 0 }).includes('     sum = [first, second, third, fourth]\n'))
})

test('FA-38 suppressedVariables: by whole name or pattern', () => {
  const locals = holding([
    ['sum', '1'],
    ['items', '[]'],
  ])
  const left = format({ locals, suppressedVariables: ['item', /^su/g] })
  assert.ok(left.includes('items = []') && !left.includes('sum = 1'), left)
  assert.ok(!format({ locals, suppressedVariables: ['items'] }).includes('items = []'))
})

test('FA-38 suppressedErrors get the ordinary trace', () => {
  assert.equal(format({ suppressedErrors: ['RangeError'] }), anError().stack)
  const aborted = new DOMException('left', 'AbortError')
  assert.equal(format({}, aborted), aborted.stack)
})

test('FA-38 reverse: the innermost frame and the newest error come first', () => {
  assert.equal(
    format({ reverse: true, sourceLines: 0 }),
    `RangeError: below zero

File "/srv/total.js", line 14, in check

File "/srv/total.js", line 8, in total`,
  )
})

test('FA-38 summary: on demand, and by itself behind more than fifty lines', () => {
  const summary = `
Summary:
File "/srv/total.js", line 8, in total
    --> check(sum)
File "/srv/total.js", line 14, in check
    --> if (sum < 0) throw new RangeError('below zero')
RangeError: below zero`
  assert.equal(format({ summary: true }), `${whole}\n${summary}`)
  const deep = anError('\n    at total (/srv/total.js:8:5)'.repeat(6))
  assert.ok(format({}, deep).includes('\nSummary:\n'))
  assert.ok(!format({ summary: false }, deep).includes('\nSummary:\n'))
})

test('FA-43 maxLength: a longer trace loses its middle', () => {
  const deep = anError('\n    at total (/srv/total.js:8:5)'.repeat(20))
  const cut = format({ maxLength: 1_500 }, deep)
  assert.ok(cut.length <= 1_500 && cut.length > 1_200, String(cut.length))
  assert.match(cut, /^ \(\.\.\. \d+ characters left out\)$/m)
  assert.ok(cut.startsWith('File "') && cut.endsWith('\nRangeError: below zero'))
})

test('FA-38 style: colours, and nothing but colours', () => {
  for (const style of ['dark', 'light'] as const) {
    const painted = format({ style })
    assert.notEqual(painted, whole)
    assert.equal(stripVTControlCharacters(painted), whole)
  }
  assert.notEqual(format({ style: 'dark' }), format({ style: 'light' }))
})

test('FA-45 localsHint: the last line says how they are switched on, unless they are', () => {
  const hint = 'Values of local variables: start with DEEDBOX_LOCALS=1, in development only.'
  assert.equal(format({ localsHint: true }), `${whole}\n\n${hint}`)
  assert.ok(!format({ localsHint: true, locals: holding([]) }).includes('DEEDBOX_LOCALS'))
})

test('FA-39 suppressedPaths: the first frame is one line, deeper ones share another', () => {
  const thrown = new TypeError('x')
  thrown.stack = `TypeError: x
    at node:internal/parse:1:1
    at read (/srv/node_modules/body/index.js:1:1)
    at body (/srv/node_modules/body/index.js:2:1)
    at total (/srv/total.js:8:5)
    at handle (/srv/node_modules/router/layer.js:9:1)`
  assert.equal(
    format({ sourceLines: 1, showSignature: false }, thrown),
    `File "/srv/node_modules/router/layer.js", line 9, in handle

File "/srv/total.js", line 8, in total
--> 8      check(sum)
    9    }

File "/srv/node_modules/body/index.js", line 2, in body

 (... 2 more frames in suppressed paths)

TypeError: x`,
  )
  assert.ok(
    format({ suppressedPaths: ['/srv/total.js'] }, thrown).includes(
      '/srv/total.js", line 8, in total\n\nFile "',
    ),
  )
})
