import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { sqlite } from '../chests/index.ts'
import { deedbox } from '../index.ts'
import type { Chest, ContextEntry } from '../tracking/index.ts'

// A process with one chest, which appends entries to FILE, a line for each, once; SQLite where its name ends in .db. It tracks COUNT jobs with the variables
// `n` and `text`, which has SIZE characters of the worst kind, says "tracked", and stays until somebody ends it.
// HOW: "hang" never comes back, "half" writes one half of what it gets before; "fall" exits in a write; "end" lets the process end by itself, "exit"
// exits at once, "close" closes the instance. AWAIT: the jobs wait for their variables to be written.
const {
  FILE = '',
  COUNT = '0',
  SIZE = '0',
  HOW = '',
  ID = 'Own(name=one)',
  ADDRESS,
  DURABLE,
  AWAIT,
} = process.env

const known = new Set(
  existsSync(FILE) && !FILE.endsWith('.db')
    ? readFileSync(FILE, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => (JSON.parse(line) as { id: string }).id)
    : [],
)

function append(entries: readonly ContextEntry[]): void {
  const fd = openSync(FILE, 'a')
  for (const { id, name, value, requestId, record } of entries) {
    if (known.has(id)) continue
    known.add(id)
    writeSync(fd, `${JSON.stringify({ id, name, value, requestId, timestamp: record.timestamp })}\n`)
  }
  fsyncSync(fd)
  closeSync(fd)
}

const ofOurs: Chest = {
  id: ID,
  address: ADDRESS,
  queue: { durable: DURABLE === 'yes', batch: 200 },
  async write(entries) {
    if (HOW === 'fall') process.exit()
    if (HOW === 'half') append(entries.slice(0, entries.length / 2))
    if (HOW === 'half' || HOW === 'hang') await new Promise(() => {})
    append(entries)
  },
  check: async () => [],
  async close() {
    console.log('chest closed')
  },
}

/** SQLite, which has what it was given though it never says so where HOW is "hang". */
function inSqlite(): Chest {
  const chest = sqlite(FILE, { durable: true, batch: 200 })
  if (HOW !== 'hang') return chest
  const write: Chest['write'] = async entries => {
    await chest.write(entries)
    await new Promise(() => {})
  }
  return { ...ofOurs, id: chest.id, address: chest.address, queue: chest.queue, write }
}

const chest = FILE.endsWith('.db') ? inSqlite() : ofOurs
const box = deedbox({ service: 'tracking', ledger: null, chests: [chest] })
const work = (n: number): void => box.set({ n, text: '\u0001'.repeat(Number(SIZE)) })
const job = AWAIT === 'yes' ? box.tracked({ await: true }, async (n: number) => work(n)) : work
for (let n = 0; n < Number(COUNT); n++)
  void box.run({ name: 'job', requestId: `${process.pid}-${n}` }, () => job(n))
console.log(`tracked as ${process.pid}`)
if (HOW === 'exit') process.exit()
else if (HOW === 'close') {
  await box.close(1_000)
  console.log(JSON.stringify({ after: box.stats().chests }))
} else if (HOW !== 'end') setInterval(() => {}, 60_000)
