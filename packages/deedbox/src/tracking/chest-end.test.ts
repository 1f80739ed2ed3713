import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LedgerItem } from '../audit/index.ts'
import { deedbox } from '../box.ts'
import type { Deedbox } from '../instance.ts'
import { startChild } from '../testing/ledger-child.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { spooledText, spoolFolder } from '../testing/spooled-events.ts'
import { chestClient } from './chest-client.ts'
import type { Chest, ContextEntry } from './index.ts'

/** A chest in memory that says what is asked of it. */
function aChest(id: string, write: (entries: readonly ContextEntry[]) => Promise<void> = async () => {}) {
  const written: string[] = []
  const state = { written, closed: 0 }
  const chest: Chest = {
    id,
    queue: { linger: 0 },
    async write(entries) {
      await write(entries)
      written.push(...entries.map(({ requestId }) => requestId))
    },
    check: async () => [],
    async close() {
      state.closed++
    },
  }
  return { chest, state }
}

function aBox(chests: readonly Chest[]): { box: Deedbox; notices: Record<string, unknown>[] } {
  const notices: Record<string, unknown>[] = []
  const box = deedbox({
    ledger: null,
    processErrors: 'off',
    flushOnSignal: false,
    log: {
      format: 'flat',
      sink: line => {
        const read = JSON.parse(line) as Record<string, unknown>
        if (read.notice !== undefined) notices.push(read)
      },
    },
    chests,
  })
  return { box, notices }
}

const never = (): Promise<never> => new Promise(() => {})

function track(box: Deedbox, requestId: string): void {
  box.run({ name: 'job', requestId }, () => box.set({ a: 1 }))
}

/** A process of the fixture, and where it keeps what it has. */
function aProcess(t: TestContext, variables: Readonly<Record<string, string>>) {
  const folder = spoolFolder(t)
  const file = join(spoolFolder(t), 'chest.jsonl')
  const child = startChild('tracking-child.ts', {
    DEEDBOX_SPOOL: folder,
    FILE: file,
    COUNT: '3',
    ...variables,
  })
  t.after(() => child.process.kill('SIGKILL'))
  return { folder, file, child }
}

test('FC-09 a chest that never comes back delays neither another one nor who tracks', async t => {
  const [slow, fast] = [aChest('Own(name=slow)', never), aChest('Own(name=fast)')]
  const { box } = aBox([slow.chest, fast.chest])
  t.after(() => box.close(0))
  for (const id of ['one', 'two', 'three']) {
    track(box, id)
    await until(() => fast.state.written.includes(id))
  }
  assert.deepEqual(fast.state.written, ['one', 'two', 'three'])
  assert.deepEqual(slow.state.written, [])
  const counts = box.stats().chests.map(({ queued, delivered }) => ({ queued, delivered }))
  assert.deepEqual(counts, [
    { queued: 3, delivered: 0 },
    { queued: 0, delivered: 3 },
  ])
})

test('FC-12 a write that has not come back in time counts as failed, and what comes of it later is nobody’s concern', async () => {
  let fail: (error: Error) => void = () => {}
  const told: string[] = []
  const { chest } = aChest(
    'Own(name=hanging)',
    () =>
      new Promise((_, reject) => {
        fail = reject
      }),
  )
  const logger = { debug: () => {}, warn: (message: string) => void told.push(message) }
  const item: LedgerItem = {
    payload: '{"entries":[{"a":1}]}',
    meta: { type: 'info', event_name: 'x', service: '' },
  }
  const appended = chestClient({ ...chest, logger }, 5).appendBatch([item])
  await assert.rejects(async () => appended, /Own\(name=hanging\): a write has not come back for 0\.005 s/)
  assert.match(told[0] ?? '', /did not take 1 entries: .*has not come back/)
  // An unhandled rejection would fail this test.
  fail(new Error('late'))
})

test('close() with a chest that neither writes nor closes ends in its time, and tells both', async () => {
  const hanging = aChest('Own(name=hanging)', never)
  const chest = { ...hanging.chest, close: never }
  const broken = { ...aChest('Own(name=broken)').chest, close: () => Promise.reject(new Error('no')) }
  const { box, notices } = aBox([chest, broken])
  track(box, 'one')
  assert.equal(await box.close(100), false)
  const said = (code: string) => notices.filter(({ notice }) => notice === code)
  assert.deepEqual(
    said('chest_unwritten').map(({ dropped }) => dropped),
    [1],
  )
  assert.deepEqual(
    said('chest_not_closed')
      .map(({ message }) => message)
      .sort(),
    ['Own(name=broken) could not be closed: no', 'Own(name=hanging) could not be closed: it takes too long'],
  )
  track(box, 'two')
  await box.flush(0)
  assert.deepEqual(
    box.stats().chests.map(({ queued, dropped }) => [queued, dropped]),
    [
      [1, 1],
      [0, 1],
    ],
    'on its way for ever; and the one that came after the end',
  )
})

test('of several instances that write to one chest the last one closes it, once', async () => {
  const { chest, state } = aChest('Own(name=shared)')
  const [one, other] = [aBox([chest]).box, aBox([chest]).box]
  track(one, 'of-one')
  assert.equal(await one.close(), true)
  await one.close()
  assert.equal(state.closed, 0)
  track(other, 'of-the-other')
  assert.equal(await other.close(), true)
  assert.deepEqual([state.closed, state.written], [1, ['of-one', 'of-the-other']])
})

test('a process that runs out of work has its chests take what waits', async t => {
  const { child, file } = aProcess(t, { HOW: 'end' })
  assert.deepEqual(await child.ended, { code: 0, signal: null })
  assert.equal(readFileSync(file, 'utf8').split('\n').length - 1, 6, 'two variables of three jobs')
  assert.doesNotMatch(child.output(), /"notice"/)
})

test('box.close() writes what waits, and closes the chest', async t => {
  const { child } = aProcess(t, { HOW: 'close' })
  assert.deepEqual(await child.ended, { code: 0, signal: null })
  assert.match(
    child.output(),
    /chest closed\n\{"after":\[\{.*"queued":0,"spooled":0,"delivered":3,"dropped":0/,
  )
})

for (const [durable, told] of [
  ['no', /"notice":"chest_unwritten","dropped":3/],
  ['yes', /tracked variables of 3 requests wait in the spool.*"notice":"chest_spooled","spooled":3/],
] as const)
  test(`SIGTERM while a chest hangs, durable: ${durable}: the process ends by it, and tells what becomes of what waits`, async t => {
    const { child, folder } = aProcess(t, { HOW: 'hang', DURABLE: durable })
    await child.said('tracked as')
    child.process.kill('SIGTERM')
    assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
    assert.match(child.output(), told)
    assert.equal(spooledText(folder).includes(`"${child.process.pid}-2"`), durable === 'yes')
  })

test('process.exit() at once: a durable chest has what waited in its spool', async t => {
  const { child, folder } = aProcess(t, { HOW: 'exit', DURABLE: 'yes' })
  assert.deepEqual(await child.ended, { code: 0, signal: null })
  assert.match(child.output(), /"notice":"chest_spooled","spooled":3/)
  assert.ok(spooledText(folder).includes(`"${child.process.pid}-2"`))
})
