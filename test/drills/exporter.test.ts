import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isReadable, openChest, type ReadableChest } from 'deedbox/chests'
import { aRecord, entriesOf, eventually, writeUntilTaken } from '../chests/entries.ts'
import { skip, url } from '../chests/postgres-harness.ts'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const workers = 4

/** Milliseconds: nobody takes over from a process that is only slow. */
const longLease = '600000'
/** Milliseconds after which another process takes over from a killed one, or from one that the machine was too slow for. */
const shortLease = '1000'

/** Processes that are killed: one exporter and, every other time, the target. */
const kills = roundsOf(4, 200)

/** A process that says things, a line each. */
interface Talker {
  readonly child: ChildProcess
  /** How often it has said a line that begins like this. */
  said(beginning: string): number
}

function talker(t: TestContext, program: string, args: readonly string[]): Talker {
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', join(import.meta.dirname, program), ...args],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  return { child, said: beginning => out.split('\n').filter(line => line.startsWith(beginning)).length }
}

async function killed({ child }: Talker): Promise<void> {
  assert.deepEqual([child.exitCode, child.signalCode], [null, null], 'it ended before it was killed')
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** The place that exporters write to: one process, which is killed and started again on the same port. */
class Endpoint {
  readonly #t: TestContext
  readonly #file: string
  #process: Talker | undefined
  #port = '0'
  #again = 0

  constructor(t: TestContext, file: string) {
    this.#t = t
    this.#file = file
  }

  async start(): Promise<string> {
    const process = talker(this.#t, 'recording-endpoint.ts', [this.#file, this.#port])
    let port = ''
    process.child.stdout?.on('data', text => {
      ;[, port = port] = /^listening (\d+)/m.exec(text) ?? []
    })
    await eventually(() => port !== '', 'the endpoint listens')
    this.#process = process
    this.#port = port
    return `http://127.0.0.1:${port}/vars`
  }

  async kill(): Promise<void> {
    if (this.#process === undefined) return
    await killed(this.#process)
    this.#again += this.#process.said('again')
    this.#process = undefined
  }

  ids(): string[] {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n').slice(0, -1) : []
  }

  /** Posts that had something that was there already. */
  again(): number {
    return this.#again + (this.#process?.said('again') ?? 0)
  }
}

/** Writes requests of two variables until it is told to stop; resolves to the ids of all entries. */
function writing(t: TestContext, chest: ReadableChest): () => Promise<string[]> {
  const ids: string[] = []
  let isStopped = false
  // Of a drill that fails, too: nothing else would ever end it.
  t.after(() => {
    isStopped = true
  })
  const done = (async () => {
    while (!isStopped) {
      const entries = Array.from({ length: 5 }, () =>
        entriesOf(aRecord(), [
          ['user', 'u'],
          ['total', 1],
        ]),
      ).flat()
      await writeUntilTaken(chest, entries)
      ids.push(...entries.map(({ id }) => id))
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  })()
  return async () => {
    isStopped = true
    await done
    return ids
  }
}

function assertEachOnce(arrived: readonly string[], written: readonly string[]): void {
  assert.equal(new Set(arrived).size, arrived.length, 'none twice')
  const there = new Set(arrived)
  assert.deepEqual(
    written.filter(id => !there.has(id)),
    [],
    'none lost',
  )
  assert.equal(arrived.length, written.length)
}

/** Where exporters take from: every chest that is opened is another client. */
interface Source {
  readonly name: string
  readonly skip: string | false
  url(folder: string): string
}

let tables = 0

const sources: readonly Source[] = [
  { name: 'a file of SQLite', skip: false, url: folder => `sqlite:${join(folder, 'vars.db')}` },
  { name: 'a table of PostgreSQL', skip, url: () => `${url}?table=drill_${++tables}` },
]

async function opened(t: TestContext, url: string): Promise<ReadableChest> {
  const chest = await openChest(url)
  t.after(() => chest.close())
  assert(isReadable(chest))
  return chest
}

for (const { name, skip, url } of sources) {
  test(`FC-28 FC-29 four worker processes export ${name}: each row is posted once`, { skip }, async t => {
    const folder = tempFolder(t)
    const source = url(folder)
    const endpoint = new Endpoint(t, join(folder, 'arrived'))
    const target = await endpoint.start()
    const chest = await opened(t, source)
    const stop = writing(t, chest)
    const all = Array.from({ length: workers }, () =>
      talker(t, 'exporting-worker.ts', [source, target, longLease]),
    )
    await eventually(
      () => all.every(worker => worker.said('confirmed') > 0),
      'each of the four workers has exported something',
    )
    const written = await stop()
    await eventually(async () => (await chest.count()) === 0, 'the source is empty')
    assertEachOnce(endpoint.ids(), written)
    const said = (line: string): number => all.reduce((sum, worker) => sum + worker.said(line), 0)
    assert.equal(said('export: lost its lease'), 0)
    // On a machine that is too slow for a deletion the run fails, and what was posted comes again.
    if (said('export: the run failed') === 0) assert.equal(endpoint.again(), 0)
  })

  test(`FC-28 FC-29 FC-30 ${kills} exporters of ${name} and ${kills / 2} targets are killed: each row arrives once, none is lost`, {
    skip,
  }, async t => {
    const folder = tempFolder(t)
    const source = url(folder)
    const endpoint = new Endpoint(t, join(folder, 'arrived'))
    const target = await endpoint.start()
    const chest = await opened(t, source)
    const newWorker = (): Talker => talker(t, 'exporting-worker.ts', [source, target, shortLease])
    const all = Array.from({ length: workers }, newWorker)
    const stop = writing(t, chest)
    for (let kill = 0; kill < kills; kill++) {
      drillProgress(`exporters of ${name} killed`, kill, kills)
      const isTargetToo = kill % 2 === 0
      // The one that holds the lease, before its write is confirmed, or before what was confirmed is deleted.
      const moment = kill % 4 < 2 ? 'writing' : 'confirmed'
      if (isTargetToo) await endpoint.kill()
      if (isTargetToo && moment === 'confirmed') await endpoint.start()
      const before = new Map(all.map(worker => [worker, worker.said(moment)]))
      const isBusy = (worker: Talker): boolean => worker.said(moment) > (before.get(worker) ?? 0)
      await eventually(() => all.some(isBusy), `kill ${kill}: a worker says "${moment}"`)
      const busy = all.findIndex(isBusy)
      await killed(all[busy]!)
      all.splice(busy, 1, newWorker())
      if (isTargetToo && moment === 'writing') await endpoint.start()
    }
    const written = await stop()
    await eventually(async () => (await chest.count()) === 0, 'the source is empty')
    const arrived = endpoint.ids()
    assertEachOnce(arrived, written)
    t.diagnostic(`${written.length} entries, ${endpoint.again()} posts came again`)
    reportDrill({
      drill: `exporters of ${name} killed`,
      rounds: kills,
      acknowledged: written.length,
      stored: arrived.length,
      refused: 0,
      verdicts: {},
    })
  })
}
