import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostileValues } from '../testing/hostile-values.ts'
import { formatCurrentStack, formatError } from './index.ts'

/** An error without frames, so that its chain is all there is. */
function bare(message: string, options?: ErrorOptions): Error {
  const thrown = new Error(message, options)
  thrown.stack = `Error: ${message}`
  return thrown
}

test('FA-42 causes over three levels, oldest first', () => {
  const oldest = bare('disk full')
  const thrown = bare('order lost', { cause: bare('not stored', { cause: oldest }) })
  assert.equal(
    formatError(thrown),
    `Error: disk full

The error above is the cause of the one below:

Error: not stored

The error above is the cause of the one below:

Error: order lost`,
  )
  assert.equal(
    formatError(thrown, { reverse: true }),
    `Error: order lost

The error above was caused by the one below:

Error: not stored

The error above was caused by the one below:

Error: disk full`,
  )
})

test('FA-42 a cause that is no error, a circle, and a chain without end', () => {
  assert.equal(
    formatError(bare('x', { cause: 'just text' })),
    'string: just text\n\nThe error above is the cause of the one below:\n\nError: x',
  )
  const circle = bare('outer')
  circle.cause = bare('inner', { cause: circle })
  assert.equal(
    formatError(circle),
    `(The cause is an error that this one is a cause of.)

Error: inner

The error above is the cause of the one below:

Error: outer`,
  )
  let endless = bare('first')
  for (let i = 0; i < 100; i++) endless = bare(`${i}`, { cause: endless })
  const shown = formatError(endless)
  assert.ok(shown.startsWith('(Further causes are left out.)'), shown)
  assert.equal(shown.match(/^Error: /gm)?.length, 6)
})

test('FA-42 what an AggregateError collects is shown in full, as from Promise.any', async () => {
  const failing = ['a', 'b'].map(name => Promise.reject(bare(name)))
  const thrown = await Promise.any(failing).catch((error: unknown) => error)
  assert.equal(
    formatError(thrown),
    `Error 1 of 2:
    Error: a

Error 2 of 2:
    Error: b

The error below collects the ones above:

AggregateError: All promises were rejected`,
  )
  assert.equal(
    formatError(thrown, { reverse: true }),
    `AggregateError: All promises were rejected

The error above collects the ones below:

Error 1 of 2:
    Error: a

Error 2 of 2:
    Error: b`,
  )
  const many = new AggregateError(Array.from({ length: 40 }, (_, i) => bare(`${i}`)))
  assert.ok(formatError(many).includes('(... 35 more)'))
})

test('FA-43 FA-41 whatever is thrown, the answer is a text', () => {
  for (const [what, make] of Object.entries(hostileValues)) {
    const value = make()
    for (const thrown of [value, bare('x', { cause: value }), Object.assign(bare('y'), { errors: value })])
      assert.equal(typeof formatError(thrown), 'string', what)
  }
})

test('FA-43 where formatting fails, it says so, and the ordinary trace follows', () => {
  const thrown = new Error('out of cups')
  const sabotaged = {
    get sourceLines(): number {
      throw new Error('sabotaged, token=hunter2hunter2')
    },
  }
  const [first, ...trace] = formatError(thrown, sabotaged).split('\n')
  assert.equal(
    first,
    '(This error could not be shown with its source: sabotaged, token=[redacted]. The ordinary trace:)',
  )
  assert.equal(trace.join('\n'), thrown.stack)
  assert.match(formatCurrentStack(sabotaged), /^\(This error could not be shown/)
})

test('FA-43 a reader that fails, or answers nonsense, costs the source only', () => {
  const thrown = new Error('x')
  thrown.stack = 'Error: x\n    at f (/srv/a.js:1:1)'
  const readers = [
    () => {
      throw new Error('sabotaged')
    },
    () => 7 as unknown as string,
    () => 'one line\n//# sourceMappingURL=data:application/json;base64,e30=',
    () => 'one line\n//# sourceMappingURL=%%%',
    () => '//# sourceMappingURL=data:application/json,{"version":3,"sources":["x"],"mappings":"!!!!"}',
  ]
  for (const readSource of readers) {
    const shown = formatError(thrown, { readSource })
    assert.ok(shown.startsWith('File "/srv/a.js", line 1, in f\n') && shown.endsWith('Error: x'), shown)
  }
})

test('FA-43 an error for lack of stack is answered where there is none left', () => {
  let shown = ''
  const deeper = (): void => {
    try {
      deeper()
    } catch (error) {
      // Only where it happened: each level further out has more room.
      if (shown === '') shown = formatError(error)
      throw error
    }
  }
  assert.throws(deeper, RangeError)
  assert.match(shown, /RangeError: Maximum call stack size exceeded$|could not be shown/)
})

test('FA-43 a trace is bounded: frames, lines, messages and all of it', () => {
  const thrown = new Error('m'.repeat(1_000_000))
  const frame = `    at ${'f'.repeat(3_000)} (/srv/a.js:1:1)\n`
  thrown.stack = `Error: ${thrown.message}\n${frame.repeat(10_000)}`
  const shown = formatError(thrown, { readSource: () => 'x'.repeat(100_000) })
  assert.ok(shown.length <= 65_536, String(shown.length))
  assert.match(shown, / characters left out\)/)
  assert.match(shown, /…\[\+991808 characters\]$/)
  const deep = new Error('x')
  deep.stack = `Error: x\n${'    at f (/srv/a.js:1:1)\n'.repeat(200)}`
  assert.equal(formatError(deep, { summary: false }).match(/^File /gm)?.length, 50)
})

test('FA-43 no message moves the cursor or hides a part of itself', () => {
  const thrown = bare('\u001b[2Jgone\u0007 \u202eback\u001b[31m red\r\nnext')
  assert.equal(formatError(thrown), 'Error: gone\\u0007 \\u202eback red\nnext')
})
