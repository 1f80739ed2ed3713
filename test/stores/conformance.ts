import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { prepareEvent } from '../../packages/ledger/src/events/index.ts'
import { newProducer, type ProducerRow } from '../../packages/ledger/src/producers/index.ts'
import {
  openWriterOn,
  type Refused,
  type Sequenced,
  type Submission,
  type Writer,
  type WriterConfig,
} from '../../packages/ledger/src/sequencer/index.ts'
import type { LedgerStore, StoreTransaction } from '../../packages/ledger/src/store/index.ts'
import type { DataReport } from '../../packages/ledger/src/verification/index.ts'
import { type Fault, FaultyStore } from './faulty-store.ts'

/** What a store has to bring along to be put through the suite. */
export interface StoreHarness {
  /** Stands in the titles. */
  name: string
  /** A place for one ledger (a file, a database), which goes when the test is over. */
  newPlace(t: TestContext): Promise<string>
  /** Opens the store at a place; may be called several times for one place. */
  openStore(place: string): Promise<LedgerStore>
  /** Keys, guard and names that every writer of the place shares. */
  config(place: string): WriterConfig
  /** Re-reads and re-derives everything at a place against the ledger's own key, through connections of its own. */
  checkLog(place: string): Promise<DataReport>
  /** The `n` that each stored event carries, in the order of the ledger. */
  storedNumbers(place: string): Promise<number[]>
  /** The name under which `appender.ts` finds this harness in a process of its own. */
  module: string
}

/** An event that can be told from every other by its number. */
export function numbered(n: number, key?: string): Submission {
  const event = prepareEvent({
    payload: JSON.stringify({ n }),
    meta: {
      type: 'info',
      event_name: 'store.tested',
      service: 'suite',
      request_id: `r${n}`,
      producer: { id: 'suite-1', seq: n + 1 },
    },
    ...(key === undefined ? {} : { idempotencyKey: key }),
  })
  return { kind: 'event', principal: 'suite', event, requestId: `r${n}` }
}

/** Results of which none is a refusal. */
export function stored(results: (Sequenced | Refused)[]): Sequenced[] {
  return results.map(result => {
    assert(!('refused' in result), JSON.stringify(result))
    return result
  })
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Runs every obligation of `LedgerStore` against one store. */
export function storeConformance(harness: StoreHarness): void {
  faults(harness)
  processes(harness)

  test(`P3 ${harness.name}: a head that moved is not overwritten, and nothing of the transaction stays`, async t => {
    const { place, writer } = await openWriter(t, harness)
    await writer.append([numbered(0)])
    const store = await harness.openStore(place)
    t.after(() => store.close())
    const moved = await store.transaction(async tx => {
      const head = await tx.head(writer.ledger.ledgerId)
      const stale = { ...head, size: head.size + 5 }
      return tx.moveHead(writer.ledger.ledgerId, stale, { ...head, size: 99 })
    })
    assert.equal(moved, false)
    await store.close()
    assert.equal((await harness.checkLog(place)).verdict, 'ok')
  })

  test(`P3 ${harness.name}: an index that is taken cannot be written a second time`, async t => {
    const { place, writer } = await openWriter(t, harness)
    await writer.append([numbered(0)])
    const store = await harness.openStore(place)
    t.after(() => store.close())
    const leaf = new Uint8Array([1])
    const nothing = { coreSalt: null, core: null, contextSalt: null, context: null, payloadSalt: null }
    const columns = numbered(0).event.columns
    await assert.rejects(
      store.transaction(tx =>
        tx.insertEvents(writer.ledger.ledgerId, [
          {
            index: 0,
            leaf,
            ...nothing,
            payload: null,
            serverSalt: null,
            server: null,
            at: 0,
            kind: 'event',
            columns,
          },
        ]),
      ),
    )
    assert.equal((await harness.checkLog(place)).verdict, 'ok')
  })

  test(`${harness.name}: a producer is kept whole, is its writer's alone, and the ended ones without a loss go first`, async t => {
    const { place, writer } = await openWriter(t, harness)
    const { ledgerId } = writer.ledger
    const store = await harness.openStore(place)
    t.after(() => store.close())
    const row = (producerId: string, lastAt: number, more: Partial<ProducerRow> = {}): ProducerRow => ({
      ...newProducer('suite', producerId, lastAt),
      ...more,
    })
    const whole = row('whole', 5, {
      ...{ service: 's', env: 'e', host: 'h', version: '1', pid: 7, startedAt: 1, endedAt: 6, missing: 2 },
      ...{ highWater: Number.MAX_SAFE_INTEGER, queued: 3, spooled: 4, ended: 'crashed' },
      seen: { coarseTo: 9, coarseSeen: 8, ranges: [11, 20, 30, Number.MAX_SAFE_INTEGER] },
    })
    const others = [row('old', 1), row('ended', 9, { ended: 'clean' }), row('new', 7)]
    const named = (tx: StoreTransaction, ids: string[], principal = 'suite') =>
      Promise.all(ids.map(async id => (await tx.producer(ledgerId, principal, id)) !== null))
    const ids = ['whole', 'old', 'ended', 'new']
    await store.transaction(async tx => {
      await tx.saveProducer(ledgerId, row('whole', 5))
      for (const known of [whole, ...others, { ...whole, principal: 'another' }]) {
        await tx.saveProducer(ledgerId, known)
      }
      assert.deepEqual(await tx.producer(ledgerId, 'suite', 'whole'), whole)
      assert.equal(await tx.producer(ledgerId + 1, 'suite', 'whole'), null)
      await tx.pruneProducers(ledgerId, 'suite', 4)
      assert.deepEqual(await named(tx, ids), [true, true, true, true])
      await tx.pruneProducers(ledgerId, 'suite', 3)
      assert.deepEqual(await named(tx, ids), [true, true, false, true])
      await tx.pruneProducers(ledgerId, 'suite', 1)
      assert.deepEqual(await named(tx, ids), [false, false, false, true])
      assert.deepEqual(await named(tx, ['whole'], 'another'), [true])
    })
  })

  test(`${harness.name}: what a failing transaction wrote is gone, and the next one works`, async t => {
    const { place, writer } = await openWriter(t, harness)
    await writer.append([numbered(0)])
    const store = await harness.openStore(place)
    t.after(() => store.close())
    await assert.rejects(
      store.transaction(async tx => {
        await tx.publishCheckpoint(writer.ledger.ledgerId, 77, 'not a note', 1)
        throw new Error('changed my mind')
      }),
      /changed my mind/,
    )
    await store.close()
    await writer.append([numbered(1)])
    assert.equal((await harness.checkLog(place)).verdict, 'ok')
  })
}

/** What is known of the producer of {@link numbered} events, read through a connection of its own. */
async function producerAt(harness: StoreHarness, place: string, writer: Writer): Promise<ProducerRow | null> {
  const store = await harness.openStore(place)
  try {
    return await store.transaction(tx => tx.producer(writer.ledger.ledgerId, 'suite', 'suite-1'))
  } finally {
    await store.close()
  }
}

async function openWriter(
  t: TestContext,
  harness: StoreHarness,
): Promise<{ place: string; store: FaultyStore; writer: Writer }> {
  const place = await harness.newPlace(t)
  const store = new FaultyStore(await harness.openStore(place))
  const writer = await openWriterOn(store, harness.config(place))
  t.after(() => writer.close())
  return { place, store, writer }
}

const steps: Fault['step'][] = [
  'head',
  'readTile',
  'readLeaf',
  'findIdempotency',
  'insertEvents',
  'insertIdempotency',
  'producer',
  'saveProducer',
  'writeTiles',
  'moveHead',
  'publishCheckpoint',
  'commit',
]

/**
 * Each step fails twice, without and with its effect, in a batch that crosses a tile boundary; then the same events
 * are sent again. After each attempt the whole log is checked, and in the end each event is there exactly once.
 */
function faults(harness: StoreHarness): void {
  for (const step of steps) {
    for (const when of ['before', 'after'] as const) {
      test(`P13 P26 ${harness.name}: ${step} fails ${when} its effect, twice, at a tile boundary`, async t => {
        const { place, store, writer } = await openWriter(t, harness)
        await writer.append(range(0, 250).map(n => numbered(n, `k${n}`)))
        // A repeat makes the sequencer read a leaf; a fresh opening makes it read tiles.
        const batch = [...range(250, 260), 3].map(n => numbered(n, `k${n}`))
        await forgetEdge(harness, place)
        store.arm({ step, when, times: 2 })
        const results = await sendUntilAcknowledged(writer, batch, async () => {
          const { verdict, findings } = await harness.checkLog(place)
          assert.equal(verdict, 'ok', JSON.stringify(findings))
        })
        assert(store.struck >= 1, `${step} is not on the way of an append`)
        assert.equal(results.length, batch.length)
        assert.equal(results.at(-1)?.duplicate, true)
        assert.equal((await harness.checkLog(place)).verdict, 'ok')
        const numbers = await harness.storedNumbers(place)
        assert.deepEqual(
          numbers.filter(n => n < 1000).sort((a, b) => a - b),
          range(0, 260),
        )
        assert.deepEqual((await producerAt(harness, place, writer))?.seen.ranges, [1, 260, 1001, 1001])
        assert.deepEqual(
          results.slice(0, -1).map(result => numbers[result.index]),
          range(250, 260),
        )
      })
    }
  }
}

/** Another writer moves the head, so that the first one's cached right edge is outdated and has to be read again. */
async function forgetEdge(harness: StoreHarness, place: string): Promise<void> {
  const other = await openWriterOn(await harness.openStore(place), harness.config(place))
  await other.append([numbered(1000)])
  await other.close()
}

async function sendUntilAcknowledged(
  writer: Writer,
  batch: Submission[],
  afterFailure: () => Promise<void>,
): Promise<Sequenced[]> {
  for (let attempt = 0; attempt < 4; attempt++) {
    try {
      const results = stored(await writer.append(batch))
      await writer.publish()
      return results
    } catch (error) {
      const { code } = error as { code?: string }
      assert(['storage_failed', 'outcome_unknown'].includes(code ?? ''), `unexpected failure: ${error}`)
      await afterFailure()
    }
  }
  throw new Error('The batch was never acknowledged.')
}

/** One `appender.ts` in a process of its own; `lines` are what it acknowledged. */
function startAppender(
  harness: StoreHarness,
  place: string,
  name: string,
  count: number,
): ChildProcess & { lines: string[] } {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@deedbox/source',
      new URL('./appender.ts', import.meta.url).pathname,
      harness.module,
      place,
      name,
      String(count),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', line => lines.push(line))
  return Object.assign(child, { lines })
}

function processes(harness: StoreHarness): void {
  test(`P3 F1 F2 F11 ${harness.name}: several processes append at once and share one history`, async t => {
    const place = await harness.newPlace(t)
    const count = 150
    const children = ['a', 'b', 'c'].map(name => startAppender(harness, place, name, count))
    for (const child of children) t.after(() => child.kill('SIGKILL'))
    const codes = await Promise.all(children.map(async child => (await once(child, 'close'))[0]))
    assert.deepEqual(codes, [0, 0, 0])
    const report = await harness.checkLog(place)
    assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
    assert.equal(report.size, 3 * count)
    const indices = children.flatMap(child => child.lines.map(line => Number(line.split(' ')[1])))
    assert.deepEqual(
      indices.sort((a, b) => a - b),
      range(0, 3 * count),
    )
  })

  test(`P21 ${harness.name}: several processes that start at once on nothing create one ledger`, async t => {
    const place = await harness.newPlace(t)
    const children = ['a', 'b', 'c', 'd'].map(name => startAppender(harness, place, name, 1))
    for (const child of children) t.after(() => child.kill('SIGKILL'))
    await Promise.all(children.map(child => once(child, 'close')))
    const origins = children.flatMap(child => child.lines.map(line => line.split(' ')[2]))
    assert.equal(origins.length, 4)
    assert.equal(new Set(origins).size, 1)
    assert.equal((await harness.checkLog(place)).size, 4)
  })

  test(`P13 P26 ${harness.name}: a killed writer loses nothing that it acknowledged, and others go on`, async t => {
    const place = await harness.newPlace(t)
    for (let round = 0; round < 3; round++) {
      const victim = startAppender(harness, place, `victim-${round}`, 100_000)
      const survivor = startAppender(harness, place, `survivor-${round}`, 60)
      for (const child of [victim, survivor]) t.after(() => child.kill('SIGKILL'))
      await lineCount(victim, 20 + 13 * round)
      victim.kill('SIGKILL')
      await once(victim, 'close')
      if (survivor.exitCode === null) await once(survivor, 'close')
      const report = await harness.checkLog(place)
      assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
      const stored = new Set(await harness.storedNumbers(place))
      for (const line of [...victim.lines, ...survivor.lines]) {
        const n = Number(line.split(' ')[0])
        assert(stored.has(n), `the acknowledged event ${n} is gone`)
      }
      assert.equal(survivor.lines.length, 60)
    }
  })
}

function lineCount(child: ChildProcess & { lines: string[] }, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (child.lines.length < count) return
      child.stdout?.off('data', later)
      resolve()
    }
    // The line reader gets the data first or last; a turn later it has it.
    const later = () => setImmediate(look)
    child.stdout?.on('data', later)
    child.once('exit', code => reject(new Error(`The appender ended by itself with code ${code}.`)))
    look()
  })
}
