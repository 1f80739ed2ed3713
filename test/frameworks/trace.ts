import assert from 'node:assert/strict'
import type { Scene } from './stage.ts'

/** What one request must have left behind: one record, one line, one event, and they agree. */
export interface Trace {
  status: number
  level: 'INFO' | 'WARNING' | 'ERROR'
  kind: 'success' | 'info' | 'error'
  outcome: 'completed' | 'aborted' | 'errored'
  /** The message of the real error; absent: there was none. */
  error?: string | RegExp
}

/** Checks that a request left exactly one record, one line and one event, and that they say the same. */
export async function assertTrace(scene: Scene, id: string, expected: Trace): Promise<void> {
  const record = await scene.record(id)
  const events = await scene.events(id)
  const lines = scene.requestLines(id)
  assert.equal(scene.records.filter(record => record.requestId === id).length, 1, 'one record')
  assert.equal(lines.length, 1, 'one request line')
  assert.equal(events.length, 1, 'one audit event')
  assert.deepEqual([record.status, record.outcome], [expected.status, expected.outcome])
  const [line] = lines
  assert.deepEqual([line?.status_code, line?.level], [expected.status, expected.level])
  assert.equal(line?.aborted, expected.outcome === 'aborted' ? true : undefined)
  const payload = JSON.parse(events[0]?.payload ?? '')
  assert.equal(events[0]?.meta.type, expected.kind)
  assert.deepEqual([payload.kind, payload.request.request_id], [expected.kind, id])
  if (expected.error === undefined) return
  const thrown = record.error?.thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (typeof expected.error === 'string') assert.equal(message, expected.error)
  else assert.match(message, expected.error)
  if (expected.status >= 500)
    assert.match(String(line?.exception), new RegExp(message), 'the real error stands on the line')
  assert.equal(payload.error.exception_message, message, 'the real error stands in the event')
}
