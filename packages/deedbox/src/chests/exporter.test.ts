import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { entriesOf, idsIn, MemoryChest, twoChests } from '../testing/readable-chest.ts'
import { type Chest, ChestError, type ContextEntry } from '../tracking/index.ts'
import { createExporter, type Exporter } from './exporter.ts'

const unavailable = (): never => {
  throw new ChestError('unavailable', 'Memory(name=to)', 'is away.')
}

test('FC-27 FC-28 FC-30 a run brings entries over unchanged, requests whole, and deletes what was confirmed', async () => {
  const { from, to, all } = await twoChests(20)
  const before = [...from.rows.values()]
  const seen: number[] = []
  const exporter = createExporter({ from, to, batchSize: 7 })
  const result = await exporter.runOnce({ onProgress: ({ left }) => seen.push(left) })
  assert.deepEqual(result, { outcome: 'done', moved: 40, refused: 0, left: 0 })
  assert.deepEqual(idsIn(to), all)
  assert.deepEqual([...to.rows.values()], before)
  assert.equal(from.rows.size, 0)
  // Seven entries end in the middle of the fourth request, which comes as a whole.
  assert.deepEqual(
    to.writes.map(({ length }) => length),
    [8, 8, 8, 8, 8],
  )
  assert.deepEqual(seen, [40, 32, 24, 16, 8, 0])
  assert.equal(from.lessee, undefined)
})

test('FC-28 a request with more variables than a batch and what is read ahead is still one write', async () => {
  const [from, to] = [new MemoryChest('from'), new MemoryChest('to')]
  const names = Array.from({ length: 450 }, (_, i) => `v${i}`)
  await from.write(entriesOf('big', ...names))
  await from.write(entriesOf('small', 'user'))
  await createExporter({ from, to, batchSize: 10 }).runOnce()
  assert.equal(
    to.writes.findIndex(({ length }) => length >= names.length),
    0,
  )
  assert.equal(to.rows.size, names.length + 1)
})

test('FC-28 a write has no more requests than the target takes at once', async () => {
  const { from, to, all } = await twoChests(5)
  await createExporter({ from, to: Object.assign(to, { queue: { batch: 2 } }) }).runOnce()
  assert.deepEqual(
    to.writes.map(({ length }) => length),
    [4, 4, 2],
  )
  assert.deepEqual(idsIn(to), all)
})

test('FC-29 a lease that could not be given back is the own one in the next run, and nobody has to wait for its time', async () => {
  const { from, to } = await twoChests(2)
  const release = from.release.bind(from)
  from.release = async () => unavailable()
  const exporter = createExporter({ from, to, leaseMs: 3_600_000 })
  await exporter.runOnce()
  assert.notEqual(from.lessee, undefined)
  from.release = release
  assert.equal((await exporter.runOnce()).outcome, 'done')
  assert.equal(from.lessee, undefined)
})

test('FC-28 with the target down the rows stay; when it is back all arrive once', async () => {
  const { from, to, all } = await twoChests(3)
  const exporter = createExporter({ from, to, batchSize: 2 })
  to.onWrite = unavailable
  await assert.rejects(exporter.runOnce(), { name: 'ChestError', code: 'unavailable' })
  assert.deepEqual(idsIn(from), all)
  assert.equal(from.lessee, undefined, 'another process may try')
  const { failed, lastError, backlog, lastSuccess } = exporter.stats()
  assert.deepEqual([failed, lastError, backlog, lastSuccess], [1, 'Memory(name=to): is away.', 6, null])
  to.onWrite = () => {}
  await exporter.runOnce()
  assert.deepEqual(idsIn(to), all)
  assert.equal(from.rows.size, 0)
  const after = exporter.stats()
  assert.deepEqual([after.failed, after.moved, after.lastError, after.backlog], [1, 6, null, 0])
  assert(after.lastSuccess !== null && after.lastRun !== null && after.lastSuccess >= after.lastRun)
})

test('FC-28 what was written before the outage is deleted, the rest stays', async () => {
  const { from, to, all } = await twoChests(3)
  const exporter = createExporter({ from, to })
  to.onWrite = () => {
    throw new ChestError('unavailable', to.id, 'went away.', { taken: new Set(['record-r0', 'record-r2']) })
  }
  await assert.rejects(exporter.runOnce(), { code: 'unavailable' })
  assert.deepEqual(idsIn(from), all.slice(2, 4))
  assert.equal(exporter.stats().moved, 4)
})

test('FC-28 one request that the target refuses stops no other, stays, is told, and rests', async t => {
  const { from, to, all } = await twoChests(40)
  const warnings: string[] = []
  const isBad = ({ requestId }: ContextEntry): boolean => requestId === 'r17'
  let attempts = 0
  to.onWrite = entries => {
    if (!entries.some(isBad)) return
    attempts++
    throw new ChestError('refused', to.id, 'r17 is too long.')
  }
  const logger = { debug: () => {}, warn: (message: string) => void warnings.push(message) }
  const exporter = createExporter({ from, to, batchSize: 16, logger, name: 'nightly' })
  assert.deepEqual(await exporter.runOnce(), { outcome: 'done', moved: 78, refused: 2, left: 2 })
  assert.deepEqual(idsIn(from), ['record-r17.0', 'record-r17.1'])
  assert.deepEqual(idsIn(to).toSorted(), all.filter(id => !id.startsWith('record-r17.')).toSorted())
  assert.deepEqual(warnings, [
    'nightly: 2 entries are refused and stay in Memory(name=from): Memory(name=to): r17 is too long.',
  ])
  assert.equal(exporter.stats().refused, 2)

  const before = attempts
  await from.write(entriesOf('r40', 'user'))
  assert.deepEqual(await exporter.runOnce(), { outcome: 'done', moved: 1, refused: 0, left: 2 })
  assert.equal(attempts, before, 'it rests')
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 300_001)
  to.onWrite = () => {}
  assert.equal((await exporter.runOnce()).moved, 2)
  assert.deepEqual([from.rows.size, exporter.stats().refused], [0, 0])
})

test('FC-29 one exporter has the lease; when its holder died another takes over after its time', async t => {
  const { from, to } = await twoChests(2)
  await from.lease('a dead process', 1_000)
  const exporter = createExporter({ from, to, leaseMs: 1_000 })
  assert.deepEqual(await exporter.runOnce(), { outcome: 'busy', moved: 0, refused: 0, left: 0 })
  assert.deepEqual([from.rows.size, to.rows.size, from.lessee?.holder], [4, 0, 'a dead process'])
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 1_001)
  assert.equal((await exporter.runOnce()).moved, 4)
})

test('FC-29 a lease is renewed while a write lasts; a run that lost it deletes nothing', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { from, to, all } = await twoChests(2)
  const until: number[] = []
  to.onWrite = async () => {
    until.push(from.lessee?.until ?? 0)
    t.mock.timers.tick(21_000)
    until.push(from.lessee?.until ?? 0)
    // As it would be after a pause of the whole process.
    from.lessee = { holder: 'another', until: Number.POSITIVE_INFINITY }
  }
  const exporter = createExporter({ from, to })
  assert.deepEqual(await exporter.runOnce(), { outcome: 'lost', moved: 0, refused: 0, left: 4 })
  const [first = 0, second = 0] = until
  assert(second > first)
  assert.deepEqual([idsIn(from), idsIn(to)], [all, all])
  assert.equal(from.lessee?.holder, 'another')
  assert.equal(exporter.stats().lastSuccess, null)
})

test('FC-28 a chest is never exported into itself, however it is called', async () => {
  const { from, all } = await twoChests(2)
  assert.throws(() => createExporter({ from, to: from }), { name: 'ConfigurationError' })
  // Another client of the same place.
  const same: Chest = Object.assign(Object.create(from), { id: 'Memory(name=alias)' })
  await assert.rejects(
    createExporter({ from, to: same }).runOnce(),
    /is the place that Memory\(name=from\) is/,
  )
  assert.deepEqual(idsIn(from), all)
  assert.equal(from.lessee, undefined)
  // That the target is being emptied in turn does not make it the source.
  const to = new MemoryChest('to')
  await to.lease('its own exporter', 60_000)
  assert.equal((await createExporter({ from, to }).runOnce()).moved, 4)
  assert.equal(to.lessee?.holder, 'its own exporter')
  // A chest of the user's own may not tell who has its right: its address has to do.
  const own = Object.assign(new MemoryChest('own'), { holder: undefined, address: 'somewhere' })
  await from.write(entriesOf('last', 'user'))
  assert.equal((await createExporter({ from, to: own }).runOnce()).moved, 1)
})

test('FC-29 nothing is taken at the target: whoever empties it in turn is not in its way', async () => {
  const { from, to } = await twoChests(2)
  const calls: string[] = []
  for (const member of ['lease', 'release'] as const)
    to[member] = async () => {
      calls.push(member)
      return true as never
    }
  assert.equal((await createExporter({ from, to }).runOnce()).moved, 4)
  assert.deepEqual(calls, [])
})

test('FC-28 so many refused entries that nothing more is read are tried again after their rest, and forgotten once they are gone', async t => {
  const { from, to } = await twoChests(0)
  const names = Array.from({ length: 201 }, (_, i) => `v${i}`)
  for (let i = 0; i < 50; i++) await from.write(entriesOf(`r${i}`, ...names))
  to.onWrite = () => {
    throw new ChestError('refused', to.id, 'no such column.')
  }
  const exporter = createExporter({ from, to })
  const isStuck = { code: 'refused', message: /refused 10050 entries, which are still in Memory/ }
  const real = performance.now.bind(performance)
  let passed = 0
  // No mock of node:test, which keeps a stack of each of half a million calls.
  performance.now = () => real() + passed
  t.after(() => {
    performance.now = real
  })
  for (passed of [0, 1, 300_001]) await assert.rejects(exporter.runOnce(), isStuck, `after ${passed} ms`)
  assert.equal(exporter.stats().refused, 10_050)
  // Somebody has deleted most of them.
  for (const key of [...from.rows.keys()].slice(201)) from.rows.delete(key)
  await from.write(entriesOf('new', 'user'))
  to.onWrite = () => {}
  assert.equal((await exporter.runOnce()).moved, 1)
  assert.equal(exporter.stats().refused, 201)
  passed = 86_400_000
  assert.equal((await exporter.runOnce()).moved, 201)
  assert.deepEqual([from.rows.size, exporter.stats().refused], [0, 0])
})

test('FC-26 FC-30 what a driver says is told without passwords, and a logger that fails late ends no process', async () => {
  const { from, to } = await twoChests(1)
  to.onWrite = () => {
    throw new Error('no route to postgres://app:hunter2@db/shop, password=hunter2')
  }
  const told: string[] = []
  const warn = async (message: string): Promise<void> => {
    told.push(message)
    await Promise.resolve()
    throw new Error('the log is full')
  }
  const exporter = createExporter({ from, to, logger: { debug: () => {}, warn } })
  await assert.rejects(exporter.runOnce(), /no route/)
  assert.match(exporter.stats().lastError ?? 'hunter2', /^no route(?!.*hunter2)/)
  to.onWrite = () => {
    throw new ChestError('refused', to.id, 'not with postgres://app:hunter2@db/shop')
  }
  await exporter.runOnce()
  assert.deepEqual([told.length, JSON.stringify([told, exporter.stats()]).includes('hunter2')], [2, false])
  assert.match(told[0] ?? '', /no route to postgres:/)
})

test('FC-26 between two batches others have their turn, however fast the chests are', async () => {
  const { from, to } = await twoChests(50)
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  to.onWrite = async () => {
    // A chest that blocks, as SQLite does.
    for (const end = performance.now() + 2; performance.now() < end; );
  }
  await createExporter({ from, to, batchSize: 2 }).runOnce()
  clearInterval(timer)
  assert(turns >= 10, `${turns} turns`)
})

test('FC-28 a signal ends a run after the batch under way', async () => {
  const { from, to, all } = await twoChests(4)
  const controller = new AbortController()
  const exporter = createExporter({ from, to, batchSize: 4 })
  to.onWrite = () => controller.abort()
  assert.deepEqual(await exporter.runOnce({ signal: controller.signal }), {
    outcome: 'stopped',
    moved: 4,
    refused: 0,
    left: 4,
  })
  assert.deepEqual([idsIn(to), idsIn(from)], [all.slice(0, 4), all.slice(4)])
})

function started(t: TestContext, exporter: Exporter): Exporter {
  exporter.start()
  t.after(() => exporter.stop())
  return exporter
}

test('FC-26 a source that is down makes start() no trouble, and is asked again', async t => {
  const { from, to } = await twoChests(1)
  const whole = from.oldest.bind(from)
  const warnings: string[] = []
  from.oldest = async () => {
    throw new Error('no such host')
  }
  const logger = {
    debug: () => {},
    warn: (message: string) => {
      warnings.push(message)
      from.oldest = whole
      throw new Error('a logger that fails, too')
    },
  }
  const exporter = started(t, createExporter({ from, to, intervalMs: 10, keepAlive: true, logger }))
  while (exporter.stats().moved < 2) await new Promise(resolve => setTimeout(resolve, 5))
  assert.deepEqual(warnings, [
    'Memory(name=from) to Memory(name=to): the run failed, and the next one goes on: no such host',
  ])
})

test('FC-26 FC-30 stop() waits for the batch under way, and no later one begins', async t => {
  const { from, to, all } = await twoChests(4)
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  to.onWrite = () => {
    begun.resolve()
    return end.promise
  }
  const exporter = started(t, createExporter({ from, to, batchSize: 4, keepAlive: true }))
  await begun.promise
  const stopped = exporter.stop()
  end.resolve()
  await stopped
  assert.deepEqual([idsIn(to), idsIn(from)], [all.slice(0, 4), all.slice(4)])
})

test('FC-26 options are checked when the exporter is made', async () => {
  const { from, to } = await twoChests(0)
  const unreadable: Chest = {
    id: 'Own(name=one)',
    write: async () => {},
    check: async () => [],
    close: async () => {},
  }
  for (const [options, setting] of [
    [{ from: unreadable }, 'from'],
    [{ to: {} }, 'to'],
    [{ intervalMs: 9 }, 'intervalMs'],
    [{ intervalMs: 2 ** 31 }, 'intervalMs'],
    [{ cron: 'tomorrow' }, 'cron'],
    [{ cron: '61 * * * *' }, 'cron'],
    [{ cron: '2026-12-01T00:00:00' }, 'cron'],
    [{ cron: '* * * * *', timeZone: 'Berlin' }, 'timeZone'],
    [{ timeZone: 'Europe/Berlin' }, 'timeZone'],
    [{ cron: '* * * * *', intervalMs: 1_000 }, 'not both'],
    [{ batchSize: 0 }, 'batchSize'],
    [{ leaseMs: 999 }, 'leaseMs'],
    [{ keepAlive: 'yes' }, 'keepAlive'],
    [{ logger: { warn() {} } }, 'logger'],
    [{ interval: 1_000 }, 'interval'],
  ] as const)
    assert.throws(
      () => createExporter({ from, to, ...(options as object) }),
      error =>
        error instanceof Error && error.name === 'ConfigurationError' && error.message.includes(setting),
      setting,
    )
})
