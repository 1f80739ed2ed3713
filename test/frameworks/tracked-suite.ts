import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ChestError } from 'deedbox/chests'
import { recordingChest } from '../../packages/deedbox/src/testing/recording-chest.ts'
import type { FrameworkHarness } from './harness.ts'
import { http2Call } from './http2-call.ts'
import { call, setScene } from './stage.ts'

/** Tracked variables: which ones are written, when, and what becomes of the answer. */
export function trackedSuite(harness: FrameworkHarness): void {
  for (const form of harness.trackedForms) {
    const name = `${harness.name}, tracked() ${form} the handler`
    const path = (route: string): string => `/tracked/${route}/${form}`

    test(`FC-01 FC-02 FC-03 FC-06 FC-07 FC-08 FC-13 FC-14 samples 42 to 44, ${name}`, async t => {
      const [one, other] = [recordingChest('one'), recordingChest('other')]
      let ids = 0
      const scene = await setScene(t, harness, {
        box: { redact: { allow: ['session_id'] } },
        tracked: box => ({
          sample: {
            input: {
              chests: [one, other],
              vars: { GET: ['user_id', 'session_id', 'total_time'], POST: ['user_id', 'data'] },
              requestId: () => `${++ids}-${'x'.repeat(300)}`,
              raise: false,
            },
            async work() {
              box.set({ start: performance.now() })
              box.set({ user_id: '123', session_id: 'abc', data: { a: [1, null] } })
              await wait(100)
              box.set({ total_time: performance.now() - Number(box.get('start')) })
              return { hello: 'world' }
            },
          },
        }),
      })
      const seen: unknown[] = []
      for (const method of ['GET', 'HEAD', 'PUT', 'POST']) {
        const answer = await call(scene, method, path('sample'))
        assert(answer.status < 300, `${method}: ${answer.status}`)
        if (method !== 'HEAD') assert.deepEqual(JSON.parse(answer.body), { hello: 'world' })
        seen.push([method, answer.status])
        await scene.record(answer.id)
      }
      assert.equal(await scene.box.flush(), true)
      const [first, second] = ['1-', '2-'].map(id => id + 'x'.repeat(253))
      const time = one.of(first!)[2] as [string, number, string]
      assert.equal(typeof time[1], 'number')
      assert.deepEqual(JSON.parse(JSON.stringify(one.entries)), [
        ['user_id', '123', first],
        ['session_id', 'abc', first],
        ['total_time', time[1], first],
        ['user_id', '123', second],
        ['data', { a: [1, null] }, second],
      ])
      assert.deepEqual([...other.entries], [...one.entries])
      assert.deepEqual(
        one.entries.map(({ method, status }) => [method, status]).filter((_, i) => i === 0 || i === 3),
        [seen[0], seen[3]],
      )
      const route = harness.template?.(path(':name')) ?? path('sample')
      assert.equal(one.entries[0]?.route, harness.knowsRoutes ? route : null)
    })

    test(`FC-03 FC-04 FC-05 samples 45 and 46, ${name}: the names of a list, or everything that was set`, async t => {
      const [own, theirs] = [recordingChest('own'), recordingChest('theirs')]
      const scene = await setScene(t, harness, {
        box: { chests: [theirs], tracked: ['never'] },
        tracked: box => {
          const work = async () => {
            box.set({ one: 1, nothing: null, _other: [{}], __ours: 1, method() {}, undefined: undefined })
            return {}
          }
          return {
            list: { input: ['nothing', 'absent', 'one'], work },
            all: { input: undefined, work },
            empty: { input: { chests: [own], vars: ['absent'] }, work },
          }
        },
      })
      const ids: string[] = []
      for (const route of ['list', 'all', 'empty']) {
        const { id } = await call(scene, 'GET', path(route))
        await scene.record(id)
        ids.push(id)
      }
      assert.equal(await scene.box.flush(), true)
      const [list, all] = ids
      assert.deepEqual(JSON.parse(JSON.stringify(theirs.entries)), [
        ['nothing', null, list],
        ['one', 1, list],
        ['one', 1, all],
        ['nothing', null, all],
        ['_other', [{}], all],
      ])
      assert.deepEqual(own.entries, [])
    })

    test(`FC-10 ${name}: a handler that throws, unless failures are left out`, async t => {
      const chest = recordingChest('kept')
      const scene = await setScene(t, harness, {
        tracked: box => {
          const work = async (): Promise<never> => {
            box.set({ step: 'before' })
            throw new Error('sync failure')
          }
          return {
            broken: { input: { chests: [chest] }, work },
            awaited: { input: { chests: [chest], raise: true }, work },
            silent: { input: { chests: [chest], includeFailures: false }, work },
          }
        },
      })
      const ids: string[] = []
      for (const route of ['broken', 'awaited', 'silent']) {
        const { id, status } = await call(scene, 'GET', path(route))
        assert.equal(status, 500)
        await scene.record(id)
        ids.push(id)
      }
      assert.equal(await scene.box.flush(), true)
      assert.deepEqual(ids.map(chest.of), [[['step', 'before', ids[0]]], [['step', 'before', ids[1]]], []])
      for (const { record } of chest.entries)
        assert.deepEqual([record.error, record.status], ['sync failure', 500])
    })

    test(`FC-09 ${name}: a slow chest delays neither the response nor another chest`, async t => {
      const order: string[] = []
      const slow = Promise.withResolvers<void>()
      const fast = Promise.withResolvers<void>()
      const chests = [
        recordingChest('slow', async () => {
          await slow.promise
          order.push('slow')
        }),
        recordingChest('fast', () => {
          order.push('fast')
          fast.resolve()
        }),
      ]
      const scene = await setScene(t, harness, {
        tracked: box => ({
          slow: {
            input: { chests },
            async work() {
              box.set({ a: 1 })
              return {}
            },
          },
        }),
      })
      const { status } = await call(scene, 'GET', path('slow'))
      order.push(`answer ${Math.floor(status / 100)}xx`)
      await fast.promise
      slow.resolve()
      assert.equal(await scene.box.flush(), true)
      assert.deepEqual([order.toSorted(), order.at(-1)], [['answer 2xx', 'fast', 'slow'], 'slow'])
    })

    test(`FC-02 FC-09 FC-11 FC-12 samples 47, 48 and 51, ${name}: a failing chest beside one that works`, async t => {
      const dead = recordingChest('dead', () => {
        throw new ChestError('refused', 'Recording(name=dead)', 'the table is gone')
      })
      const [alive, late] = [recordingChest('alive'), recordingChest('late')]
      const scene = await setScene(t, harness, {
        tracked: box => {
          const work = async () => {
            box.set({ paid: true })
            return {}
          }
          return {
            raise: { input: { chests: [dead, alive], raise: true }, work },
            await: { input: { chests: [dead, alive], await: true }, work },
            usual: { input: { chests: [dead, late] }, work },
          }
        },
      })
      const raised = await call(scene, 'GET', path('raise'))
      // The client has its answer: so nobody waits here for what is expected to be written.
      assert.deepEqual(alive.of(raised.id), [['paid', true, raised.id]])
      assert.equal(raised.status, 500)
      const { error, outcome } = await scene.record(raised.id)
      assert(error?.thrown instanceof ChestError)
      assert.deepEqual([error.thrown.chest, outcome], [dead.id, 'completed'])
      assert.deepEqual(
        scene.requestLines(raised.id).map(line => [line.level, line.status_code]),
        [['ERROR', 500]],
      )
      const awaited = await call(scene, 'GET', path('await'))
      assert.deepEqual(alive.of(awaited.id), [['paid', true, awaited.id]])
      assert(awaited.status < 300)
      const usual = await call(scene, 'GET', path('usual'))
      assert(usual.status < 300)
      await scene.record(usual.id)
      assert.equal(await scene.box.flush(), true)
      assert.deepEqual([alive.entries.length, late.entries.length], [2, 1], 'each is written once')
      const told = scene.lines.filter(line => line.chest === dead.id)
      assert.deepEqual(
        told.map(line => [line.level, line.notice]),
        [
          ['WARNING', 'chest_rejected'],
          ['WARNING', 'chest_failed'],
        ],
      )
      const events = await scene.events(raised.id)
      assert.deepEqual(
        events.map(({ payload }) => JSON.parse(payload ?? '').metrics.status_code),
        [500],
      )
    })

    if (!harness.http2) continue
    test(`FC-09 FC-11 ${name}: the same over HTTP/2`, async t => {
      const dead = recordingChest('dead', () => {
        throw new ChestError('refused', 'Recording(name=dead)', 'the table is gone')
      })
      const alive = recordingChest('alive')
      const scene = await setScene(t, harness, {
        http2: true,
        tracked: box => {
          const work = async () => {
            box.set({ paid: true })
            return {}
          }
          return {
            raise: { input: { chests: [dead, alive], raise: true }, work },
            await: { input: { chests: [dead, alive], await: true }, work },
          }
        },
      })
      const ask = http2Call(t, scene.service.port)
      for (const [route, isFailed] of [
        ['raise', true],
        ['await', false],
      ] as const) {
        const { status } = await ask(path(route), route)
        assert.deepEqual(alive.of(route), [['paid', true, route]])
        assert.equal(status >= 500, isFailed)
        assert.equal((await scene.record(route)).error?.thrown instanceof ChestError, isFailed)
      }
    })
  }
}
