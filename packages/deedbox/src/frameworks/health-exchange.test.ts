import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthService } from '../testing/health-service.ts'

test('X-11 an answer that cannot be sent is a 500 and one notice, whenever it is made, and ends no process', async t => {
  let contentType = 'text/plain'
  const metrics = {
    get contentType() {
      return contentType
    },
    render: async () => 'up 1\n',
  }
  const { ask, lines, recorded } = await healthService(t, { metrics })
  assert.equal((await ask('/metrics')).status, 200)
  contentType = 'text/plain\r\nX-Secret: 1'
  for (let n = 0; n < 2; n++) {
    const answer = await ask('/metrics')
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get('x-secret')], [500, '', null])
  }
  contentType = 'text/plain'
  assert.equal((await ask('/metrics')).status, 200)
  const failed = (await recorded(2)).filter(({ error }) => error !== null)
  assert.deepEqual(
    failed.map(({ status, outcome }) => [status, outcome]),
    [
      [500, 'completed'],
      [500, 'completed'],
    ],
  )
  assert.equal((await lines()).filter(({ notice }) => notice === 'health_unanswered').length, 1)
})
