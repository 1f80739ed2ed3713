import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, setScene } from './stage.ts'
import { assertTrace } from './trace.ts'

/** The answers that we give in the framework's place, where that is asked for. */
export function answersSuite(harness: FrameworkHarness): void {
  const { name } = harness
  if (harness.answersInPlace === false) return

  test(`FA-25 X-12 ruling 9 ${name}: unhandled exceptions answered as plain text, one line each`, async t => {
    const scene = await setScene(t, harness, { answers: true })
    for (const [path, error] of [
      ['/throw', 'sync failure'],
      ['/reject', 'async failure'],
      ['/before', 'failure before'],
    ] as const) {
      const answer = await call(scene, 'GET', path)
      assert.deepEqual([answer.status, answer.body], [500, 'Internal Server Error'], path)
      assert.match(answer.headers['content-type'] ?? '', /^text\/plain/)
      assert.equal(answer.headers['x-request-id'], answer.id)
      assert.match(answer.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
      await assertTrace(scene, answer.id, {
        status: 500,
        level: 'ERROR',
        kind: 'error',
        outcome: 'completed',
        error,
      })
    }
    const broken = await call(scene, 'GET', '/broken-stream')
    await assertTrace(scene, broken.id, {
      status: 500,
      level: 'ERROR',
      kind: 'error',
      outcome: 'errored',
      error: 'stream failure',
    })
    const lost = await call(scene, 'GET', '/nowhere')
    assert.equal(lost.status, 404, 'what is no exception is left to the framework')
  })

  test(`FA-24 ruling 9 ${name}: validation errors answered with 422 and the list that is logged`, async t => {
    const scene = await setScene(t, harness, { answers: true })
    const answer = await call(scene, 'POST', '/validated', { body: '{"a":"x"}' })
    assert.equal(answer.status, 422)
    const { detail } = JSON.parse(answer.body)
    const [line] = scene.lines.filter(line => line.message === 'request validation exception')
    assert(Array.isArray(detail) && detail.length > 0)
    assert.deepEqual(line?.detail, detail)
    assert.equal((await scene.record(answer.id)).status, 422)
  })
}
