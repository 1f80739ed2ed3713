import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { readExposition } from './exposition.ts'

test('ruling 30 in a cluster the primary tells the sum of what its workers measured', async t => {
  const program = join(import.meta.dirname, 'clustered-service.ts')
  const child = spawn(process.execPath, ['--conditions=@deedbox/source', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for await (const text of child.stdout.setEncoding('utf8')) {
    said += text
    if (said.includes('\n')) break
  }
  const [port, own] = said.trim().split(' ')
  for (let n = 0; n < 10; n++) await (await fetch(`http://127.0.0.1:${port}/x`)).text()
  // A record is made a moment after its response.
  const counted = async (): Promise<[number, number]> => {
    const read = readExposition(await (await fetch(`http://127.0.0.1:${own}/`)).text())
    const [info] = read.samples.filter(({ name }) => name === 'deedbox_build_info')
    return [read.value('http_request_duration_seconds_count', { status: '200' }), info?.value ?? 0]
  }
  let found = await counted()
  while (found[0] < 10) found = await counted()
  assert.deepEqual(found, [10, 1])
  const all = readExposition(await (await fetch(`http://127.0.0.1:${own}/`)).text())
  assert.equal(all.value('deedbox_outbox_paused'), 1, 'all of them are, which is no sum')
  const one = readExposition(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())
  assert(one.value('http_request_duration_seconds_count', { status: '200' }) <= 10)
  child.kill('SIGTERM')
  await once(child, 'exit')
})
