import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { deedbox } from 'deedbox'
import { type Check, createHealth } from 'deedbox/health'

/** What a heartbeat says of the one check that it has. */
export interface Beat {
  readonly status: number
  /** The texts by their ids. */
  readonly messages: Readonly<Record<string, string>>
}

/** Asks a service whose one check is given, as often as it is called. */
export function heartbeatOf(t: TestContext, check: Check): () => Promise<Beat> {
  const box = deedbox({ service: 'shop', ledger: null, log: { sink: () => {} } })
  t.after(() => box.close())
  const health = createHealth(box, { checks: [check], details: 'always', ownChecks: false, cache: 0 })
  return async () => {
    const answer = await health.answer({ method: 'GET', url: '/__heartbeat__', authorization: undefined })
    const { checks, details } = JSON.parse(answer.body)
    assert.deepEqual(Object.keys(checks), [check.name])
    return { status: answer.status, messages: details[check.name]?.messages ?? {} }
  }
}
