import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from '../testing/temp-server.ts'

test('DF-07 DF-08 DF-13 the heartbeat fails when nothing can be written any more, and says why to those who may know', async t => {
  const server = await startTestServer(t)
  await server.ledger.close()
  const anonymous = await fetch(`${server.url}/__heartbeat__`)
  assert.equal(anonymous.status, 500)
  const body = (await anonymous.json()) as {
    status: string
    checks: Record<string, string>
    details?: unknown
  }
  assert.deepEqual([body.status, body.checks.writer, body.checks.database], ['error', 'error', 'error'])
  assert.equal(body.details, undefined, 'strangers learn that it fails, not why')
  assert.equal((await fetch(`${server.url}/__lbheartbeat__`)).status, 200)
})
