import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox } from '../box.ts'
import { chestClient } from './chest-client.ts'
import { type Chest, ChestError, type ContextEntry } from './index.ts'

test('FC-28 what a chest took of a refused write is not written again when it cannot be reached afterwards', async () => {
  const taken: string[] = []
  let writes = 0
  const taking = (entries: readonly ContextEntry[], names: readonly string[]): Set<string> => {
    const chosen = entries.filter(({ name }) => names.includes(name))
    taken.push(...chosen.map(({ name }) => name))
    return new Set(chosen.map(({ record }) => record.id))
  }
  const chest: Chest = {
    id: 'Own(name=one)',
    queue: { linger: 50 },
    async write(entries) {
      writes++
      if (writes === 1)
        throw new ChestError('refused', chest.id, 'two of them', { taken: taking(entries, ['a', 'b']) })
      if (entries.some(({ name }) => name === 'c')) throw new ChestError('refused', chest.id, 'not this one')
      if (writes < 5) throw new Error('nobody there')
      taking(entries, ['a', 'b', 'd'])
    },
    check: async () => [],
    close: async () => {},
  }
  const box = deedbox({
    ledger: null,
    log: { sink: () => {} },
    processErrors: 'off',
    flushOnSignal: false,
    chests: [chest],
  })
  for (const name of ['a', 'b', 'c', 'd']) box.run({ name: 'job' }, () => box.set({ [name]: 1 }))
  assert.equal(await box.flush(), true)
  assert.deepEqual(taken, ['a', 'b', 'd'])
  const { delivered, rejected } = box.stats().chests[0]!
  assert.deepEqual({ delivered, rejected }, { delivered: 3, rejected: 1 })
  await box.close()
})

test('FC-28 what a chest names as refused is written once, and what it says nothing of is written again in one piece', async () => {
  const writes: string[][] = []
  const chest: Chest = {
    id: 'Own(name=naming)',
    queue: { linger: 50 },
    async write(entries) {
      const names = entries.map(({ name }) => name)
      writes.push(names)
      const idOf = (name: string): string[] => entries.filter(e => e.name === name).map(e => e.record.id)
      if (names.includes('b'))
        throw new ChestError('refused', chest.id, 'one of them', {
          taken: new Set(idOf('a')),
          refused: new Set(idOf('b')),
        })
    },
    check: async () => [],
    close: async () => {},
  }
  const box = deedbox({
    ledger: null,
    log: { sink: () => {} },
    processErrors: 'off',
    flushOnSignal: false,
    chests: [chest],
  })
  for (const name of ['a', 'b', 'c', 'd']) box.run({ name: 'job' }, () => box.set({ [name]: 1 }))
  assert.equal(await box.flush(), true)
  assert.deepEqual(writes, [
    ['a', 'b', 'c', 'd'],
    ['c', 'd'],
  ])
  const { delivered, rejected } = box.stats().chests[0]!
  assert.deepEqual({ delivered, rejected }, { delivered: 3, rejected: 1 })
  await box.close()
})

test('ruling 25 a logger that fails later ends no process, and is told no secret of a driver', async () => {
  const told: string[] = []
  let isThere = false
  const failing = async (message: string): Promise<void> => {
    told.push(message)
    throw new Error('the logger is down')
  }
  const notices: string[] = []
  const chest: Chest = {
    id: 'Own(name=told)',
    queue: { linger: 0 },
    logger: { debug: failing, warn: failing },
    async write() {
      if (!isThere) throw new Error('cannot connect with password=hunter2')
    },
    check: async () => [],
    async close() {
      throw new Error('cannot log off with password=hunter2')
    },
  }
  const box = deedbox({
    ledger: null,
    log: { sink: line => notices.push(line) },
    processErrors: 'off',
    flushOnSignal: false,
    chests: [chest],
  })
  const job = box.tracked({ await: true }, async () => box.set({ a: 1 }))
  await box.run({ name: 'job' }, () => job())
  isThere = true
  await box.run({ name: 'job' }, () => job())
  assert.equal(await box.flush(), true)
  // Node tells of rejections that nobody handles after a turn; the test fails then.
  await new Promise(setImmediate)
  assert.match(told[0] ?? '', /did not take 1 entries: cannot connect/)
  assert.ok(told.length >= 3)
  assert.ok(notices.some(line => line.includes('chest_failed')))
  await box.close()
  assert.ok(notices.some(line => line.includes('could not be closed: cannot log off')))
  assert.doesNotMatch([...told, ...notices].join(), /hunter2/)
})

test('FC-28 a request that comes twice in one write is written once', async () => {
  const written: string[] = []
  const chest: Chest = {
    id: 'Own(name=once)',
    async write(entries) {
      written.push(...entries.map(({ id }) => id))
    },
    check: async () => [],
    close: async () => {},
  }
  const payload = JSON.stringify({ timestamp: 1, entries: [{ a: 1 }, { b: 2 }] })
  const meta = { type: 'info', event_name: 'tracked', service: '' } as const
  const item = (idempotencyKey: string) => ({ payload, meta, idempotencyKey, requestId: 'r' })
  const results = await chestClient(chest).appendBatch([item('one'), item('two'), item('one')])
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, true, true],
  )
  assert.equal(written.length, 4)
  assert.equal(new Set(written).size, 4)
})
