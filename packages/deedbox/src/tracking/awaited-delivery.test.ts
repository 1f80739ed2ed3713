import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { deedbox } from '../box.ts'
import type { Deedbox } from '../instance.ts'
import { startChild } from '../testing/ledger-child.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { recordingChest } from '../testing/recording-chest.ts'
import { spooledText, spoolFolder } from '../testing/spooled-events.ts'
import { type Chest, ChestError } from './index.ts'

interface Kept {
  readonly box: Deedbox
  readonly notices: Record<string, unknown>[]
}

function aBox(t: TestContext, chests: readonly Chest[], folder?: string): Kept {
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
    audit: folder === undefined ? {} : { spool: { folder } },
    chests,
  })
  t.after(() => box.close(0))
  return { box, notices }
}

/** A job that waits for its variable. Resolves to what it failed with. */
function waiting(box: Deedbox, value: string): Promise<unknown> {
  const work = box.tracked({ raise: true, timeout: 60_000 }, async () => box.set({ v: value }))
  return box
    .run({ name: 'job' }, () => work())
    .then(
      () => undefined,
      (error: unknown) => error,
    )
}

const values = (chest: { readonly entries: readonly { readonly value: unknown }[] }): unknown[] =>
  chest.entries.map(({ value }) => value)

test('FC-09 ruling 25 flush and close wait for what a response waits for, and it is counted', async t => {
  const going = Promise.withResolvers<void>()
  const order: string[] = []
  const chest = {
    ...recordingChest('slow', async () => {
      await going.promise
      order.push('written')
    }),
    close: async () => void order.push('closed'),
  }
  const { box } = aBox(t, [chest])
  const answer = waiting(box, 'a')
  await until(() => box.stats().chests[0]?.queued === 1)
  assert.equal(await box.flush(20), false)
  const closed = box.close(60_000)
  going.resolve()
  assert.equal(await closed, true)
  assert.equal(await answer, undefined)
  assert.deepEqual(order, ['written', 'closed'])
  const { queued, delivered, dropped, failed } = box.stats().chests[0]!
  assert.deepEqual([queued, delivered, dropped, failed], [0, 1, 0, 0])
})

test('FC-11 ruling 25 once an instance is closed nothing is written: who waited is told, and who comes', async t => {
  let writes = 0
  const chest = recordingChest('hanging', () => {
    writes++
    return new Promise(() => {})
  })
  const { box } = aBox(t, [chest])
  const before = [waiting(box, 'a'), waiting(box, 'b')]
  await until(() => writes === 1)
  assert.equal(await box.close(20), false)
  for (const error of await Promise.all([...before, waiting(box, 'c')])) {
    assert.ok(error instanceof ChestError)
    assert.match(error.message, /hanging\): this instance (was|is) closed/)
  }
  assert.equal(writes, 1)
  // Nobody knows of those that are being written.
  const { queued, dropped, failed } = box.stats().chests[0]!
  assert.deepEqual([queued, dropped, failed], [2, 1, 3])
})

for (const how of ['half', 'fall'] as const)
  test(`ruling 25 a process that is ${how === 'half' ? 'killed' : 'at its end'} while a durable chest writes what is waited for: the next one writes it once`, async t => {
    const folder = spoolFolder(t)
    const file = join(spoolFolder(t), 'chest.jsonl')
    const start = (variables: Readonly<Record<string, string>>) => {
      const child = startChild('tracking-child.ts', {
        DEEDBOX_SPOOL: folder,
        FILE: file,
        DURABLE: 'yes',
        AWAIT: 'yes',
        ADDRESS: 'here',
        ...variables,
      })
      t.after(() => child.process.kill('SIGKILL'))
      return child
    }
    const lines = (): string[] =>
      existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
    const first = start({ COUNT: '4', HOW: how })
    const { pid } = first.process
    await until(() => spooledText(folder).includes(`"${pid}-3"`))
    if (how === 'half') {
      await until(() => lines().length > 0)
      first.process.kill('SIGKILL')
    }
    await (first.process.exitCode === null && first.process.signalCode === null
      ? once(first.process, 'exit')
      : undefined)
    const next = start({ COUNT: '1' })
    await until(() => lines().length >= 10)
    next.process.kill('SIGTERM')
    await next.ended
    assert.equal(lines().length, 10, 'two variables of five jobs')
    assert.match(next.output(), /"notice":"chest_adopted".*"requests":4/)
    const last = start({ COUNT: '0' })
    await last.said('tracked as')
    last.process.kill('SIGTERM')
    await last.ended
    assert.doesNotMatch(last.output(), /chest_adopted/, 'what was written is settled')
  })

test('FC-11 ruling 25 what a durable chest refuses a waiting response is kept as a dead letter', async t => {
  const folder = spoolFolder(t)
  const plain = recordingChest('refusing', () => {
    throw new ChestError('refused', 'Recording(name=refusing)', 'no such column')
  })
  const { box, notices } = aBox(t, [{ ...plain, queue: { durable: true } }], folder)
  assert.match(String(await waiting(box, 'a')), /no such column/)
  assert.equal(await box.flush(), true)
  const { rejected, failed, queued, spooled } = box.stats().chests[0]!
  assert.deepEqual([rejected, failed, queued, spooled], [1, 1, 0, 0])
  assert.equal(notices.find(({ notice }) => notice === 'chest_rejected')?.dead_letters, 1)
})

test('FC-09 ruling 25 a response does not wait for a pause: it is written alone, and the others follow', async t => {
  const writes: unknown[][] = []
  const chest = recordingChest('resting', entries => {
    writes.push(entries.map(({ value }) => value))
    if (writes.length === 1)
      throw new ChestError('unavailable', 'Recording(name=resting)', 'later', { retryAfter: 3_600_000 })
  })
  const { box, notices } = aBox(t, [chest])
  box.run({ name: 'job' }, () => box.set({ v: 'queued' }))
  await until(() => notices.some(({ notice }) => notice === 'chest_delayed'))
  assert.equal(await waiting(box, 'awaited'), undefined)
  assert.equal(await box.flush(), true)
  assert.deepEqual(writes, [['queued'], ['awaited'], ['queued']])
})

test('FC-11 a response whose write failed for now is told at once, and it is written later, once', async t => {
  let isThere = false
  const chest = recordingChest('away', () => {
    if (!isThere) throw new Error('nobody there')
  })
  const { box } = aBox(t, [chest])
  const error = await waiting(box, 'a')
  assert.ok(error instanceof ChestError)
  assert.deepEqual([error.code, (error.cause as Error).message], ['unavailable', 'nobody there'])
  isThere = true
  assert.equal(await waiting(box, 'b'), undefined)
  assert.equal(await box.flush(), true)
  assert.deepEqual(values(chest).sort(), ['a', 'b'])
  const { delivered, failed, dropped } = box.stats().chests[0]!
  assert.deepEqual([delivered, failed, dropped], [2, 1, 0])
})

test('ruling 25 no write of a chest has more requests than its queue.batch, also of waiting responses', async t => {
  const sizes: number[] = []
  const chest = recordingChest('small', async entries => {
    sizes.push(entries.length)
    await new Promise(setImmediate)
  })
  const { box } = aBox(t, [{ ...chest, queue: { batch: 2, capacity: 1 } }])
  await Promise.all(Array.from({ length: 9 }, (_, n) => waiting(box, String(n))))
  assert.equal(chest.entries.length, 9)
  assert.ok(Math.max(...sizes) <= 2, String(sizes))
})

test('FC-18 a chest that used up the time of closing costs no other one its own', async t => {
  const dead = recordingChest('dead', () => {
    throw new Error('down')
  })
  let isClosed = false
  const good = {
    ...recordingChest('good'),
    close: async () => {
      await new Promise(setImmediate)
      isClosed = true
    },
  }
  const { box, notices } = aBox(t, [dead, good])
  box.run({ name: 'job' }, () => box.set({ a: 1 }))
  assert.equal(await box.close(20), false)
  assert.equal(isClosed, true)
  assert.deepEqual(
    notices.filter(({ notice }) => notice === 'chest_not_closed'),
    [],
  )
})
