import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { formatWorkerStack } from './index.ts'

test('FA-44 what a thread does in a loop that never ends, twice, and it goes on afterwards', async t => {
  const worker = new Worker(new URL('../testing/spinning-worker.ts', import.meta.url))
  t.after(() => worker.terminate())
  await once(worker, 'message')
  for (let n = 0; n < 2; n++) {
    const text = await formatWorkerStack(worker, { timeout: 20_000 })
    assert.match(text ?? '', /File ".*spinning-worker\.ts", line \d+, in spin\n/)
    assert.match(text ?? '', /--> +\d+ +.*counter/)
    assert.ok((text ?? '').indexOf('in work') < (text ?? '').indexOf('in spin'), text)
  }
  const [later] = (await once(worker, 'message')) as [number]
  assert.equal(typeof later, 'number')
})

test('FA-44 a thread that does nothing, and one that is gone, have no stack', async () => {
  const idle = new Worker('setInterval(() => undefined, 2147483647)', { eval: true })
  await once(idle, 'online')
  assert.equal(await formatWorkerStack(idle, { timeout: 300 }), undefined)
  await idle.terminate()
  assert.equal(await formatWorkerStack(idle, { timeout: 50 }), undefined)
})
