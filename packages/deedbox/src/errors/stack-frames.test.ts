import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorFrames } from './index.ts'
import { stackFrames } from './stack-frames.ts'

/** Each form of a frame, and what is read of it: file, line, column, function. */
const forms: readonly (readonly [string, readonly [string, number?, number?, string?]])[] = [
  ['at total (/srv/shop.js:3:9)', ['/srv/shop.js', 3, 9, 'total']],
  ['at /srv/shop.js:3:9', ['/srv/shop.js', 3, 9, '<anonymous>']],
  ['at async Orders.place (/srv/shop.js:3:9)', ['/srv/shop.js', 3, 9, 'async Orders.place']],
  ['at async file:///srv/shop.js:3:9', ['/srv/shop.js', 3, 9, 'async <anonymous>']],
  ['at new Cart (/srv/shop.js:3:9)', ['/srv/shop.js', 3, 9, 'new Cart']],
  ['at Orders.place [as run] (/srv/shop.js:3:9)', ['/srv/shop.js', 3, 9, 'Orders.place [as run]']],
  ['at total (file:///srv/a%20b/shop.js:3:9)', ['/srv/a b/shop.js', 3, 9, 'total']],
  ['at total (/srv/my shop (old)/shop.js:3:9)', ['/srv/my shop (old)/shop.js', 3, 9, 'total']],
  ['at /srv/my shop (old)/shop.js:3:9', ['/srv/my shop (old)/shop.js', 3, 9, '<anonymous>']],
  ['at total (C:\\srv\\shop.js:3:9)', ['C:\\srv\\shop.js', 3, 9, 'total']],
  ['at total (file:///C:/srv/my%20shop.js:3:9)', ['C:\\srv\\my shop.js', 3, 9, 'total']],
  ['at Array.map (<anonymous>)', ['<anonymous>', undefined, undefined, 'Array.map']],
  ['at Array.forEach (native)', ['native', undefined, undefined, 'Array.forEach']],
  ['at async Promise.all (index 0)', ['index 0', undefined, undefined, 'async Promise.all']],
  ['at node:internal/main/run:33:47', ['node:internal/main/run', 33, 47, '<anonymous>']],
  ['at eval (eval at run (/srv/a.js:7:2), <anonymous>:1:1)', ['/srv/a.js', 7, 2, 'eval']],
  ['at eval (eval at f (eval at run (/s/a (b).js:7:2)), <anonymous>:1:1)', ['/s/a (b).js', 7, 2, 'eval']],
  ['at [eval]:1:7', ['[eval]', 1, 7, '<anonymous>']],
  ['at total (webpack-internal:///./a.ts:3:9)', ['webpack-internal:///./a.ts', 3, 9, 'total']],
  ['at total (file://%zz/%/shop.js:3:9)', ['file://%zz/%/shop.js', 3, 9, 'total']],
]

test('FA-37 frames in each form that V8 writes, and on either system', () => {
  for (const [written, [file, line, column, name]] of forms) {
    assert.deepEqual(stackFrames(`Error: x\n    ${written}`, 'x', 50), [
      { file, line, column, function: name },
    ])
  }
})

test('FA-37 a message that looks like a frame is none', () => {
  const message = 'first\n    at fake (/etc/passwd:1:1)\nlast'
  const stack = `Error: ${message}\n    at real (/srv/a.js:1:2)`
  assert.deepEqual(
    stackFrames(stack, message, 50).map(frame => frame.function),
    ['real'],
  )
})

test('FA-37 frames as values: a place and whether its path is suppressed', () => {
  const thrown = new Error('x')
  thrown.stack = `Error: x
    at total (/srv/shop.js:3:9)
    at Layer.handle (/srv/node_modules/router/layer.js:1:2)
    at node:internal/x:4:5`
  assert.deepEqual(errorFrames(thrown), [
    { file: '/srv/shop.js', line: 3, column: 9, function: 'total', isSuppressed: false },
    {
      file: '/srv/node_modules/router/layer.js',
      line: 1,
      column: 2,
      function: 'Layer.handle',
      isSuppressed: true,
    },
    { file: 'node:internal/x', line: 4, column: 5, function: '<anonymous>', isSuppressed: true },
  ])
  assert.deepEqual(
    errorFrames(thrown, { suppressedPaths: [/shop/g] }).map(frame => frame.isSuppressed),
    [true, false, false],
  )
  assert.deepEqual(errorFrames('no error'), [])
})
