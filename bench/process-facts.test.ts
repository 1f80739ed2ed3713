import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { cpuSeconds, residentMemory } from './process-facts.ts'

const skip = existsSync('/proc/self/stat') ? false : '/proc: this system has none'

test('CPU time and memory of a process count those of its children', { skip }, async t => {
  const worked =
    "const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end); console.log('done')"
  const parent = `const c = require('node:child_process').spawn(process.execPath,
    ['-e', ${JSON.stringify(`${worked}; process.stdin.resume()`)}], { stdio: 'inherit' }); c.on('exit', () => {})`
  const child = spawn(process.execPath, ['-e', parent], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.stdin.end())
  await once(child.stdout, 'data')
  const pid = child.pid ?? 0
  const used = cpuSeconds([pid])
  assert.ok(used !== undefined && used >= 0.3)
  const memory = residentMemory(pid)
  // A Node that does nothing takes some 40 MiB, and here are two.
  assert.ok(memory !== undefined && memory.now > 60 && memory.highest >= memory.now)
})

test('a process that is not there has neither', () => {
  assert.equal(cpuSeconds([2 ** 22 + 1]), undefined)
  assert.equal(residentMemory(2 ** 22 + 1), undefined)
})
