import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from './testing/captured-log.ts'

function fail(): never {
  throw new Error('no stock', { cause: new TypeError('no row') })
}

function caught(): unknown {
  try {
    return fail()
  } catch (error) {
    return error
  }
}

test('FA-27 FA-37 FA-42 the exception of a line is a trace, or annotated, by option and in development, in all kinds of lines', async () => {
  for (const [options, isAnnotated] of [
    [{}, false],
    [{ log: { errors: 'annotated' } }, true],
    [{ env: 'development' }, true],
    [{ env: 'development', log: { errors: 'trace' } }, false],
  ] as const) {
    const { box, lines } = captureLog(options)
    box.log.error('failed', caught() as Error)
    await assert.rejects(box.run({ name: 'night' }, async () => fail()))
    const seen = (await lines()).filter(line => 'exception' in line)
    assert.equal(seen.length, 2)
    for (const { exception } of seen) {
      const text = String(exception)
      assert.equal(/--> +\d+ {4}throw new Error\('no stock'/.test(text), isAnnotated, text)
      assert.ok(text.includes('no row') && text.includes('no stock'))
    }
    await box.close()
  }
})

test('FA-45 FA-58 ruling 14: no values of variables unless asked for, and the last line in development says how', async () => {
  const { box, lines } = captureLog({ env: 'development' })
  box.log.error('failed', caught() as Error)
  const text = String((await lines()).find(line => 'exception' in line)?.exception)
  assert.match(text.trimEnd().split('\n').at(-1) ?? '', /DEEDBOX_LOCALS=1/)
  await box.close()
})

test('FA-27 the frames of an error stand on its line on request', async () => {
  const { box, lines } = captureLog({ log: { errorFrames: true } })
  box.log.error('failed', caught() as Error)
  box.log.error('no error')
  const [first, second] = (await lines()).filter(line => line.level === 'ERROR')
  const [innermost] = (first?.exception_frames ?? []) as Record<string, unknown>[]
  assert.deepEqual([innermost?.function, typeof innermost?.line], ['fail', 'number'])
  assert.ok(!('exception_frames' in (second ?? {})))
  await box.close()
})
