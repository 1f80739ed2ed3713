import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

const program = `
import { executionAsyncResource } from 'node:async_hooks'
import { keepTickShape, heldTick } from ${JSON.stringify(new URL('./tick-shape.ts', import.meta.url).href)}
keepTickShape()
keepTickShape()
const tick = () => new Promise(resolve => process.nextTick(() => resolve(executionAsyncResource())))
for (let n = 0; n < 1000; n++) await tick()
await new Promise(setImmediate)
gc()
gc()
await new Promise(setImmediate)
const after = await tick()
console.log(JSON.stringify([after !== heldTick(), %HaveSameMap(after, heldTick()), %HasFastProperties(after)]))
`

test('the objects of nextTick keep their shape, also when the process was idle and collected its garbage', () => {
  const out = execFileSync(
    process.execPath,
    [
      '--allow-natives-syntax',
      '--expose-gc',
      '--conditions=@deedbox/source',
      '--input-type=module',
      '--eval',
      program,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  assert.deepEqual(JSON.parse(out), [true, true, true])
})
