import { performance } from 'node:perf_hooks'
import { type ContextEntry, contextEntry, type TrackedRecord } from 'deedbox/chests'
import { uuid7 } from '../events.ts'
import type { ChestWrites } from './chest-writes/writes.ts'

// Three variables of each of many requests, written by a chest and, in turn with it, rows that it stored before, by the
// driver alone into a table like it. Arguments: the chest as named below, where it is, writes, writes before the clock starts.

const [kind = '', place = '', writesText, warmText] = process.argv.slice(2)
const writes = Number(writesText)
const warm = Number(warmText)
/** As the queue of a chest does it. */
const requestsOfWrite = 256

const kinds: Record<string, () => Promise<{ open(place: string): Promise<ChestWrites> }>> = {
  sqlite: () => import('./chest-writes/sqlite.ts'),
  postgres: () => import('./chest-writes/postgres.ts'),
  mysql: () => import('./chest-writes/mysql.ts'),
  mongo: () => import('./chest-writes/mongo.ts'),
  influx: () => import('./chest-writes/influx.ts'),
}

/** What one side did. */
export interface WritesResult {
  entries: number
  seconds: number
  /** Of the client. */
  cpuSeconds: number
}

function entriesOf(write: number): ContextEntry[] {
  const entries: ContextEntry[] = []
  for (let n = write * requestsOfWrite; n < (write + 1) * requestsOfWrite; n++) {
    const record: TrackedRecord = {
      id: uuid7(),
      requestId: uuid7(),
      timestamp: 1_700_000_000_000_000 + n,
      service: 'bench',
      env: 'production',
      route: '/things/:id',
      method: 'GET',
      status: 200,
      error: null,
    }
    const variables = { user_id: `u_${n % 1_000}`, session_id: 'abc', total_time: n / 8 }
    Object.entries(variables).forEach(([name, value], i) => {
      entries.push(contextEntry(record, i, name, value))
    })
  }
  return entries
}

/** One side of the comparison: how it writes its nth part, and what that took. */
class Side {
  readonly #write: (n: number) => Promise<unknown>
  #seconds = 0
  #cpuSeconds = 0

  constructor(write: (n: number) => Promise<unknown>) {
    this.#write = write
  }

  async write(n: number): Promise<void> {
    const started = performance.now()
    const cpu = process.cpuUsage()
    await this.#write(n)
    const { user, system } = process.cpuUsage(cpu)
    this.#seconds += (performance.now() - started) / 1000
    this.#cpuSeconds += (user + system) / 1e6
  }

  get result(): WritesResult {
    return { entries: writes * requestsOfWrite * 3, seconds: this.#seconds, cpuSeconds: this.#cpuSeconds }
  }
}

const opened = await kinds[kind]?.()
if (opened === undefined) throw new Error(`There is no chest ${kind} here.`)
const side = await opened.open(place)
// The driver's rows are those that the chest has made of others: neither side begins with code that has not run yet.
const first = Array.from({ length: warm + writes }, (_, n) => entriesOf(n))
for (const entries of first) await side.chest.write(entries)
await side.prepare(first.length, first)
const all = first.map((_, n) => entriesOf(n))
for (let n = 0; n < warm; n++) {
  await side.chest.write(all[n]!)
  await side.insert(n)
}
const chest = new Side(n => side.chest.write(all[n]!))
const driver = new Side(n => side.insert(n))
for (let n = warm; n < all.length; n++) {
  await chest.write(n)
  await driver.write(n)
}
await side.chest.close()
await side.close()
process.stdout.write(JSON.stringify({ chest: chest.result, driver: driver.result }))
