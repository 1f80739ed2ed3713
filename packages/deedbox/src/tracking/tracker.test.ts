import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deedbox } from '../box.ts'
import { useFixedClock } from '../capture/index.ts'
import { type Chest, ChestError, type ContextEntry } from './index.ts'

/** A third-party chest, as the interface asks for it. */
function recordingChest(id: string, fail?: (entries: readonly ContextEntry[]) => unknown) {
  const written: ContextEntry[] = []
  const chest: Chest = {
    id,
    queue: { linger: 0 },
    async write(entries) {
      const error = fail?.(entries)
      if (error !== undefined) throw error
      written.push(...entries)
    },
    check: async () => [],
    close: async () => {},
  }
  return { chest, written }
}

const quiet = { ledger: null, log: { sink: () => {} }, processErrors: 'off', flushOnSignal: false } as const

test('FC-07 FC-15 every chest gets the same tuples, and what is known beside them', async t => {
  const [one, other] = [recordingChest('Own(name=one)'), recordingChest('Own(name=other)')]
  const box = deedbox({ ...quiet, service: 'shop', chests: [one.chest, other.chest] })
  const clock = useFixedClock('2026-01-01T00:00:00Z')
  t.after(() => clock())
  t.after(() => box.close())
  box.run({ name: 'job', requestId: 'r-1' }, () => box.set({ user_id: 'u', total: 1.5, list: [1, null] }))
  assert.equal(await box.flush(), true)
  const tuples = [
    ['user_id', 'u', 'r-1'],
    ['total', 1.5, 'r-1'],
    ['list', [1, null], 'r-1'],
  ]
  for (const { written } of [one, other]) {
    assert.deepEqual(JSON.parse(JSON.stringify(written)), tuples)
    const [[name, value, requestId] = [], , third] = written
    assert.deepEqual([name, value, requestId], ['user_id', 'u', 'r-1'])
    assert.deepEqual([third?.name, third?.requestId, third?.method], ['list', 'r-1', null])
    // A job has no route; its name is what its rows are told by.
    assert.deepEqual([third?.route, third?.timestamp], ['job', clock.now() * 1_000])
    assert.equal(third?.record.service, 'shop')
    assert.equal(new Set(written.map(({ id }) => id)).size, 3)
  }
  assert.deepEqual(
    box.stats().chests.map(({ id, delivered }) => [id, delivered]),
    [
      ['Own(name=one)', 1],
      ['Own(name=other)', 1],
    ],
  )
})

test('FC-12 what a chest refuses for good is found out, and the rest of the batch is stored', async t => {
  const { chest, written } = recordingChest('Own(name=picky)', entries =>
    entries.some(([, value]) => value === 'bad') ? new ChestError('refused', 'picky', 'no') : undefined,
  )
  const lines: string[] = []
  const box = deedbox({
    ...quiet,
    log: { sink: line => void lines.push(line), format: 'flat' },
    chests: [chest],
  })
  t.after(() => box.close())
  for (const v of ['a', 'b', 'bad', 'c', 'd']) box.run({ name: 'job' }, () => box.set({ v }))
  assert.equal(await box.flush(), true)
  assert.deepEqual(
    written.map(({ value }) => value),
    ['a', 'b', 'c', 'd'],
  )
  assert.equal(box.stats().chests[0]?.rejected, 1)
  const told = lines.map(line => JSON.parse(line)).find(({ notice }) => notice === 'chest_rejected')
  assert.equal(told.chest, 'Own(name=picky)')
  assert.equal(told.level, 'WARNING')
})

test('FC-08 an id that cannot be made is the request id, and one that is a secret is blanked', async t => {
  const { chest, written } = recordingChest('Own(name=ids)')
  const lines: string[] = []
  const box = deedbox({
    ...quiet,
    log: { sink: line => void lines.push(line), format: 'flat' },
    chests: [chest],
  })
  t.after(() => box.close())
  const secret = 'ghp_0123456789abcdefghijklmnopqrstuvwxyzAB'
  for (const requestId of [
    async () => 'x',
    () => Promise.reject(new Error('no id')),
    () => undefined,
    () => '',
    () => secret,
    () => 7n,
  ])
    box.run(
      { name: 'job', requestId: 'j-1' },
      box.tracked({ requestId }, () => box.set({ a: 1 })),
    )
  box.run({ name: 'job', requestId: secret }, () => box.set({ a: 1 }))
  assert.equal(await box.flush(), true)
  const ids = written.map(({ requestId }) => requestId)
  assert.deepEqual(ids.slice(0, 4), ['j-1', 'j-1', 'j-1', 'j-1'])
  assert.equal(ids[5], '7')
  assert.equal(ids[6], ids[4])
  assert.doesNotMatch(ids.join(), /0123456789abcdef/)
  const told = lines.map(line => JSON.parse(line)).filter(({ notice }) => notice === 'tracked_id')
  assert.match(told[0]?.message, /gave a promise/)
})
