import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observe } from './frameworks/node-http.ts'
import { audited, current, event, get, log, set } from './index.ts'
import { runInScope, scopeOfBox } from './request/context.ts'
import { RequestScope } from './request/scope.ts'
import { auditedLog } from './testing/audited-log.ts'
import { captureLog } from './testing/captured-log.ts'
import { serve } from './testing/served.ts'

test('ruling 3 X-17: the free functions act on the request’s instance, else on the oldest open one', async t => {
  const first = captureLog()
  const second = captureLog()
  const { url } = await serve(
    t,
    observe(second.box)((_request, response) => {
      log.info('inside')
      set({ user_id: 'u_42' })
      event('order.placed')
      response.end(`${current()?.requestId} ${get('user_id')}`)
    }),
  )
  log.info('outside')
  const answer = await fetch(url, { headers: { 'x-request-id': 'free-1' } })
  assert.equal(await answer.text(), 'free-1 u_42')
  const [record] = await second.recorded(1)
  assert.deepEqual([record?.eventName, record?.values], ['order.placed', { user_id: 'u_42' }])
  const inside = (await second.lines()).filter(line => line.message === 'inside')
  assert.deepEqual([inside.length, inside[0]?.request_id], [1, 'free-1'])
  assert.match(String(inside[0]?.source), /^default-instance\.test\.ts:.*:\d+$/)
  assert((await first.lines()).some(line => line.message === 'outside'))
  assert(!(await second.lines()).some(line => line.message === 'outside'))
  assert.equal(current(), undefined)

  await first.box.close()
  log.info('to the next oldest')
  assert((await second.lines()).some(line => line.message === 'to the next oldest'))
  await second.box.close()
})

test('ruling 3: a second copy of this package sees the requests of the first', async () => {
  const copy = (await import(
    `${new URL('./request/context.ts', import.meta.url)}?copy`
  )) as typeof import('./request/context.ts')
  assert.notEqual(copy.scopeOfBox, scopeOfBox)
  const box = {}
  const scope = new RequestScope(box, undefined, 'shared', { report: () => undefined })
  runInScope(scope, () => {
    assert.equal(copy.currentScope(), scope)
    assert.equal(copy.scopeOfBox(box), scope)
    assert.equal(copy.scopeOfBox({}), undefined)
  })
})

test('ruling 3: audited() at the top of a module finds its instance at each call', async t => {
  const early = audited(function early() {
    return 'as ever'
  })
  const work = audited(async () => early(), { eventName: 'work' })
  assert.equal(early(), 'as ever')
  const first = auditedLog()
  const second = auditedLog()
  const { url } = await serve(
    t,
    observe(second.box)(async (_request, response) => {
      response.end(await work())
    }),
  )
  assert.equal(await (await fetch(url, { headers: { 'x-request-id': 'r-2' } })).text(), 'as ever')
  early()
  assert.deepEqual(
    (await second.events()).map(({ meta }) => [meta.event_name, meta.request_id]),
    [
      ['fn.default-instance.test.early', 'r-2'],
      ['work', 'r-2'],
    ],
  )
  assert.equal((await first.events()).length, 1)
  await first.box.close()
  await second.box.close()
})
