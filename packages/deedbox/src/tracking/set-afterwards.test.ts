import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { type Deedbox, tracked } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { get } from '../testing/held-responses.ts'
import { type RecordingChest, recordingChest } from '../testing/recording-chest.ts'
import { serve } from '../testing/served.ts'
import { ChestError, type TrackedInput } from './index.ts'

type Work = (box: Deedbox, request: IncomingMessage, response: ServerResponse) => unknown

/** Asks a service whose handler runs by a rule; gives the bytes of the answer, once all is written. */
async function asked(t: TestContext, input: TrackedInput, work: Work): Promise<string> {
  const { box, recorded } = captureLog()
  t.after(() => box.close(0))
  const handle = tracked(input, (request: IncomingMessage, response: ServerResponse) =>
    work(box, request, response),
  )
  const { raw } = await serve(t, observe(box)(handle))
  const answer = await raw(get('/', 'X-Request-Id: r-1', 'Connection: close'))
  await recorded(1)
  assert.equal(await box.flush(), true)
  return answer
}

const stored = ({ entries }: RecordingChest): unknown[] =>
  entries.map(({ name, value, status }) => [name, value, status])

for (const how of ['await', 'raise'] as const) {
  test(`FC-01 FC-09 ${how}: what a callback sets is written, whatever the handler returns`, async t => {
    const chest = recordingChest('chest')
    const answer = await asked(t, { chests: [chest], [how]: true }, (box, _request, response) => {
      const database = {}
      setImmediate(() => {
        box.set({ rows: 3 })
        response.writeHead(201).end()
      })
      return database
    })
    assert.match(answer, /^HTTP\/1\.1 201 /)
    assert.deepEqual(stored(chest), [['rows', 3, 201]])
  })

  test(`FC-01 FC-09 ${how}: what is set or changed after a function of the same rule is written as well, once`, async t => {
    const chest = recordingChest('chest')
    const rule = { chests: [chest], [how]: true, requestId: () => `id ${++ids}` }
    let ids = 0
    const { box, recorded } = captureLog()
    t.after(() => box.close(0))
    const pay = tracked(rule, async () => {
      box.set({ user_id: 'u', tries: 1, same: [1] })
      return 'paid'
    })
    const { raw } = await serve(
      t,
      observe(box)(async (_request, response) => {
        assert.equal(await pay(), 'paid')
        if (how === 'raise') assert.equal(chest.entries.length, 3)
        box.set({ tries: 2, total: 9, same: [1] })
        response.writeHead(202).end()
      }),
    )
    await raw(get('/', 'Connection: close'))
    await recorded(1)
    await box.flush()
    const once = [
      ['user_id', 'u', 202],
      ['tries', 2, 202],
      ['same', [1], 202],
      ['total', 9, 202],
    ]
    const twice = [
      ['user_id', 'u', 200],
      ['tries', 1, 200],
      ['same', [1], 200],
      ['tries', 2, 202],
      ['total', 9, 202],
    ]
    assert.deepEqual(stored(chest), how === 'await' ? once : twice)
    assert.deepEqual([...new Set(chest.entries.map(({ requestId }) => requestId))], ['id 1'])
    assert.equal(new Set(chest.entries.map(({ id }) => id)).size, chest.entries.length)
  })

  test(`FC-01 FC-09 ${how}: what is set behind the first byte is written at the end`, async t => {
    const chest = recordingChest('chest')
    const answer = await asked(t, { chests: [chest], [how]: true }, (box, _request, response) => {
      const list = [1]
      box.set({ early: 1, list })
      response.write('x', () => {
        box.set({ late: 2 })
        list.push(2)
        response.end()
      })
    })
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.deepEqual(stored(chest), [
      ['early', 1, 200],
      ['list', [1], 200],
      ['list', [1, 2], 200],
      ['late', 2, 200],
    ])
  })

  test(`FC-01 FC-09 ${how}: a job that calls a function twice stores what both have set, and what it sets itself`, async t => {
    const chest = recordingChest('chest')
    const { box } = captureLog()
    t.after(() => box.close(0))
    const nothing = box.tracked({ chests: [chest], [how]: true }, async () => 'nothing was set')
    const step = box.tracked({ chests: [chest], [how]: true }, async (n: number) =>
      box.set({ [`step${n}`]: n }),
    )
    await box.run({ name: 'job', requestId: 'j-1' }, async () => {
      await nothing()
      await step(1)
      assert.deepEqual(chest.of('j-1'), [['step1', 1, 'j-1']])
      await step(2)
      box.set({ own: true })
    })
    assert.equal(await box.flush(), true)
    assert.deepEqual(chest.of('j-1'), [
      ['step1', 1, 'j-1'],
      ['step2', 2, 'j-1'],
      ['step1', 1, 'j-1'],
      ['step2', 2, 'j-1'],
      ['own', true, 'j-1'],
      ['own', true, 'j-1'],
    ])
  })
}

test('FC-11 raise: a chest that fails on what was set after the function fails the request as well', async t => {
  const chest = recordingChest('picky', entries => {
    if (entries.some(({ name }) => name === 'bad')) throw new ChestError('refused', 'picky', 'no')
  })
  const answer = await asked(t, { chests: [chest] }, async (box, _request, response) => {
    await tracked({ chests: [chest], vars: ['good', 'bad'], raise: true }, async () => {
      box.set({ good: 1 })
      return 1
    })()
    box.set({ bad: 1 })
    response.end('ok')
  })
  assert.match(answer, /^HTTP\/1\.1 500 .*tracking_failed/s)
  assert.equal(chest.entries[0]?.name, 'good')
})
