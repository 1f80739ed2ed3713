import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Deedbox, deedbox } from 'deedbox'
import type { Chest, TrackedValue } from 'deedbox/chests'
import { observe } from 'deedbox/http'
import type { ChestHarness } from './chest-harness.ts'
import { eventually, sorted } from './entries.ts'

/** An instance with one chest, and the lines that it wrote. */
export function aService(t: TestContext, chest: Chest): { readonly box: Deedbox; readonly lines: string[] } {
  const lines: string[] = []
  const box = deedbox({
    service: 'shop',
    ledger: null,
    log: { sink: line => void lines.push(line), format: 'flat' },
    processErrors: 'off',
    flushOnSignal: false,
    chests: [chest],
  })
  t.after(() => box.close())
  return { box, lines }
}

/** A chest in a service: jobs, requests, and a server that goes away meanwhile. */
export function serviceSuite(harness: ChestHarness): void {
  const { skip, keeps = (value: TrackedValue): TrackedValue => value, isIdempotent, server } = harness
  const title = (rows: string, text: string): string => `${rows} chest, ${harness.name}: ${text}`

  test(title('FC-01 FC-05 FC-23', 'what a job sets is stored as JSON says it'), { skip }, async t => {
    const place = await harness.place(t)
    const { box } = aService(t, place.open())
    const date = new Date(0)
    box.run({ name: 'job', requestId: 'job-1' }, () => {
      box.set({
        date,
        bigint: 2n ** 70n,
        nan: Number.NaN,
        infinite: -Infinity,
        minus_zero: -0,
        nothing: null,
      })
      box.set({ unset: undefined, map: new Map([['a', new Set([1])]]), text: '🦊\0' })
    })
    assert.equal(await box.flush(), true)
    const expected: Record<string, TrackedValue> = {
      ...{ date: '1970-01-01T00:00:00.000Z', bigint: '1180591620717411303424', nan: null, infinite: null },
      ...{ minus_zero: 0, nothing: null, map: { a: [1] }, text: '🦊\0' },
    }
    assert.deepEqual(
      sorted(await place.stored()),
      sorted(
        Object.entries(expected).map(([name, value]) => ({ name, value: keeps(value), requestId: 'job-1' })),
      ),
    )
  })

  test(title('FC-01 FC-10', 'what requests set is stored, of those that fail as well'), { skip }, async t => {
    const place = await harness.place(t)
    const { box } = aService(t, place.open({ tags: { app: 'shop' } }))
    const ids: (string | undefined)[] = []
    const handler = observe(box, { unhandled: 'answer' })(async ({ url }, response) => {
      ids.push(box.requestId)
      box.set({ url, total: 1.5 })
      if (url === '/fails') throw new Error('it broke')
      response.statusCode = 201
      response.end('done')
    })
    const listening = createServer(handler).listen(0, '127.0.0.1')
    await once(listening, 'listening')
    t.after(() => listening.close())
    const { port } = listening.address() as AddressInfo
    for (const path of ['/works', '/fails'])
      await (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: 'x' })).text()
    await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === 2)
    const stored = await place.stored()
    assert.deepEqual(
      sorted(stored),
      sorted(
        ['/works', '/fails'].flatMap((url, i) =>
          Object.entries({ url, total: 1.5 }).map(([name, value]) => ({
            ...{ name, value: keeps(value), requestId: String(ids[i]) },
          })),
        ),
      ),
    )
    for (const entry of stored) {
      if ('method' in entry) assert.equal(entry.method, 'POST')
      if ('status' in entry) assert.equal(entry.status, entry.requestId === ids[0] ? 201 : 500)
      if ('timestamp' in entry) assert(Math.abs(Number(entry.timestamp) / 1_000 - Date.now()) < 600_000)
    }
  })

  if (server === undefined) return
  const restarted = title('FC-24', 'a server that is restarted meanwhile costs nothing, and doubles nothing')
  test(restarted, { skip }, async t => {
    const place = await harness.place(t)
    const { box, lines } = aService(t, place.open())
    let made = 0
    const work = (): void => box.run({ name: 'job', requestId: `job-${made}` }, () => box.set({ n: made++ }))
    let isOver = false
    const working = (async () => {
      while (!isOver) {
        work()
        await setTimeout(5)
      }
    })()
    await eventually(() => (box.stats().chests[0]?.delivered ?? 0) > 5)
    await server.halt()
    const atHalt = made
    await eventually(
      () => made > atHalt + 20 && lines.some(line => JSON.parse(line).notice === 'chest_delayed'),
    )
    await server.start()
    await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_resumed'))
    isOver = true
    await working
    await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === made)
    const stored = await place.stored()
    const wanted = Array.from({ length: made }, (_, n) => ({
      name: 'n',
      value: keeps(n),
      requestId: `job-${n}`,
    }))
    const found = sorted(stored)
    assert.deepEqual(isIdempotent ? found : [...new Set(found)], sorted(wanted))
    const { dropped, rejected } = box.stats().chests[0]!
    assert.deepEqual([dropped, rejected], [0, 0])
  })
}
